import { TooManyTokens } from '../../errors.ts'
import type { KeyRows, NewToken } from '../rows.ts'

const DAY_SECONDS = 86_400

/** At most for how long older tokens live on after a rotation, and for how long they do by default: seconds. */
export const MAX_GRACE_SECONDS = 30 * DAY_SECONDS
export const DEFAULT_GRACE_SECONDS = DAY_SECONDS

/** How many tokens of a key are kept, and may be active at a time. */
export const MAX_TOKENS = 100

/** Adds a token to a key, in the place of the oldest that are expired or revoked. Throws TooManyTokens. */
export const addToken = async (keys: KeyRows, id: string, token: NewToken, at: Date): Promise<void> => {
  if ((await keys.countActiveTokens(id, at)) >= MAX_TOKENS) throw new TooManyTokens()
  await keys.pruneTokens(id, { keep: MAX_TOKENS - 1, at })
  await keys.insertToken(id, token, at)
}
