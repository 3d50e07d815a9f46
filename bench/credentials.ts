import { randomBytes } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import { createTokenSealer, digestOf, issueClientKey } from '../domain/keys/token/token.ts'

/** One credential of each kind that is compared, and what a server needs to accept it. */
export interface Credentials {
  clientSecret: string
  /** The entry of `CLIENT_KEYS` for `clientToken`. */
  clientKey: string
  clientToken: string
  staticToken: string
  jwtSecret: string
  jwt: string
}

const secret = (): string => randomBytes(32).toString('hex')

export const makeCredentials = (): Credentials => {
  const clientSecret = secret()
  const jwtSecret = secret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(clientSecret))
  return {
    clientSecret,
    clientKey: `sha256:${digestOf(keyId)}`,
    clientToken: keyAccessToken,
    // As long as a client's token, so that both cost the same to read.
    staticToken: randomBytes(keyAccessToken.length / 2).toString('hex'),
    jwtSecret,
    jwt: createSigner({ key: jwtSecret, algorithm: 'HS256', noTimestamp: true })({ key_id: keyId })
  }
}
