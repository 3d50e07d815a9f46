import { randomBytes } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import { createTokenSealer, digestOf, issueClientKey } from '../domain/keys/token/token.ts'

/** One credential of each type to compare, and the settings that a server needs to accept them. */
export interface Credentials {
  clientSecret: string
  /** The entry in `CLIENT_KEYS` for `clientToken`. */
  clientKey: string
  clientToken: string
  staticToken: string
  jwtSecret: string
  jwt: string
}

const secret = (): string => randomBytes(32).toString('hex')

export const createCredentials = (): Credentials => {
  const clientSecret = secret()
  const jwtSecret = secret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(clientSecret))
  return {
    clientSecret,
    clientKey: `sha256:${digestOf(keyId)}`,
    clientToken: keyAccessToken,
    // Has the same length as a client key's token, so that both take the same time to read.
    staticToken: randomBytes(keyAccessToken.length / 2).toString('hex'),
    jwtSecret,
    jwt: createSigner({ key: jwtSecret, algorithm: 'HS256', noTimestamp: true })({ key_id: keyId })
  }
}
