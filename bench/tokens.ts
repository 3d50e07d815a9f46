import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { compiled } from './compiled.ts'
import { asIfReceived, microsecondsEach } from './opening.ts'
import type { Plan } from './plan.ts'
import { atMost, inUnit } from './report.ts'
import type { Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import { median } from './statistics.ts'

const { createAuthenticator } = await compiled('domain/keys/authenticator.js')
const { decodeBase62, encodeBase62 } = await compiled('domain/keys/base62.js')
const { createTokenSealer, digestOf } = await compiled('domain/keys/token.js')

const MAX_COLD_MICROSECONDS = 15
const MAX_WARM_MICROSECONDS = 3

/** What it takes to tell whose a token is, without HTTP around it. */
export const measureTokens = async ({ tokenRounds, tokensARound }: Plan): Promise<Row[]> => {
  const secret = randomBytes(32).toString('hex')
  const keyId = randomBytes(16).toString('hex')
  const { seal } = createTokenSealer(secret)
  const authenticate = createAuthenticator({ secret, allowList: [`sha256:${digestOf(keyId)}`] })
  const token = seal(keyId)

  const repeat = (text: string): string[] => Array.from({ length: tokensARound }, () => text)
  const unseen = (): string[] => Array.from({ length: tokensARound }, () => asIfReceived(seal(keyId)))
  const opening = (tokens: () => string[], expected: string) => async (): Promise<number> =>
    await microsecondsEach(tokens(), authenticate, expected)

  const taken = await takeInRounds(tokenRounds, {
    cold: opening(unseen, 'ok'),
    warm: opening(() => repeat(token), 'ok'),
    typo: opening(() => repeat(withTypo(token)), 'bad_checksum'),
    forged: opening(() => repeat(forge(token)), 'forged')
  })

  return [
    atMost('Open a token never seen before', median(taken.cold), MAX_COLD_MICROSECONDS, 'µs'),
    atMost('Open a token seen before', median(taken.warm), MAX_WARM_MICROSECONDS, 'µs'),
    { what: 'Refuse a token with a typo', result: inUnit(median(taken.typo), 'µs') },
    { what: 'Refuse a forged token', result: inUnit(median(taken.forged), 'µs') }
  ]
}

const PREFIX_LENGTH = 4
const CHECKSUM_DIGITS = 6
const SEALED_BYTES = 49

const withTypo = (token: string): string => {
  const digit = token.at(-1) === '0' ? '1' : '0'
  return asIfReceived(token.slice(0, -1) + digit)
}

/** A token that has a good checksum, and differs from a real one in a bit. */
const forge = (token: string): string => {
  const digits = token.slice(PREFIX_LENGTH, -CHECKSUM_DIGITS)
  const sealed = decodeBase62(digits, SEALED_BYTES)
  if (sealed === null) throw new Error('a token that was just sealed has other digits than base62')
  sealed.writeUInt8(sealed.readUInt8(SEALED_BYTES - 1) ^ 1, SEALED_BYTES - 1)
  const body = token.slice(0, PREFIX_LENGTH) + encodeBase62(sealed, digits.length)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body))
  return asIfReceived(body + encodeBase62(checksum, CHECKSUM_DIGITS))
}
