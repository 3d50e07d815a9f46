import { randomBytes } from 'node:crypto'
import type { Authenticate } from '../domain/keys/verdict/authenticator.ts'
import { createTokenSealer, digestOf } from '../domain/keys/token/token.ts'
import { compiled } from './compiled.ts'
import { asIfReceived, createKeyDatabase } from './keys.ts'
import { atMost, count } from './report.ts'
import type { Row } from './report.ts'
import { median, takeInRounds } from './rounds.ts'
import type { Setup } from './setup.ts'

const { openStorage } = await compiled('db/open.js')
const { createAuthenticator } = await compiled('domain/keys/verdict/authenticator.js')

const MAX_UNSEEN_MICROSECONDS = 15
const MAX_SEEN_MICROSECONDS = 3
const MAX_MANAGED_MICROSECONDS = 20
const FEW_KEYS = 1_000
const MANY_KEYS = 1_000_000

/** Measures how long it takes to authenticate a token, without HTTP. */
export const measureTokens = async (setup: Setup): Promise<Row[]> => {
  const { tokenRounds, tokensPerRound } = setup.plan
  const secret = randomBytes(32).toString('hex')
  const keyId = randomBytes(16).toString('hex')
  const { seal } = createTokenSealer(secret)
  const { authenticate } = createAuthenticator({ secret, allowList: [`sha256:${digestOf(keyId)}`] })
  const repeated = (make: () => string): string[] => Array.from({ length: tokensPerRound }, make)
  const token = seal(keyId)
  const taken = await takeInRounds(tokenRounds, {
    unseen: async () =>
      await microsecondsEach(
        repeated(() => asIfReceived(seal(keyId))),
        authenticate
      ),
    seen: async () =>
      await microsecondsEach(
        repeated(() => token),
        authenticate
      ),
    few: await openUnseen(setup, FEW_KEYS),
    many: await openUnseen(setup, MANY_KEYS)
  })
  const managed = (keys: number, values: readonly number[]): Row =>
    atMost(`Open a new managed token, ${count(keys)} keys`, median(values), MAX_MANAGED_MICROSECONDS, 'µs')
  return [
    atMost('Open a new token', median(taken.unseen), MAX_UNSEEN_MICROSECONDS, 'µs'),
    atMost('Open a cached token', median(taken.seen), MAX_SEEN_MICROSECONDS, 'µs'),
    managed(FEW_KEYS, taken.few),
    managed(MANY_KEYS, taken.many)
  ]
}

/**
 * Creates a database with the given number of keys. Returns a function that authenticates new tokens of these keys and
 * returns the mean time per token, in µs.
 */
const openUnseen = async (
  { plan, folder, credentials, defer }: Setup,
  keys: number
): Promise<() => Promise<number>> => {
  const database = await createKeyDatabase(folder, keys, credentials.clientSecret)
  const storage = await openStorage(database.url)
  defer(storage.close)
  const { authenticate } = createAuthenticator({ secret: credentials.clientSecret, lookup: storage.keyLookup })
  return async () => await microsecondsEach(database.unseen(plan.tokensPerRound), authenticate)
}

/** Authenticates the tokens one after another, and returns the mean time per token, in µs. */
const microsecondsEach = async (tokens: readonly string[], authenticate: Authenticate): Promise<number> => {
  let refused = 0
  const start = performance.now()
  for (const token of tokens) if (!(await authenticate(token)).ok) refused++
  const milliseconds = performance.now() - start
  if (refused > 0) throw new Error(`${refused} tokens were refused`)
  return (milliseconds * 1000) / tokens.length
}
