import { TooManyTokens } from '../../errors.ts'
import type { TokenRecord } from '../client-key.ts'
import type { KeyRows, NewToken, StoredToken } from '../rows.ts'

const DAY_SECONDS = 86_400

/** The maximum and default number of seconds for which older tokens stay active after a rotation. */
export const MAX_GRACE_SECONDS = 30 * DAY_SECONDS
export const DEFAULT_GRACE_SECONDS = DAY_SECONDS

/** The maximum number of stored tokens per key, and thus also of active ones. */
export const MAX_TOKENS = 100

const isActive = ({ revokedAt, expiresAt }: StoredToken, at: Date): boolean =>
  revokedAt === null && (expiresAt === null || expiresAt > at)

/** Returns a stored token without its digest, which must not be shown to requesters. */
export const withoutDigest = ({ digest, ...token }: StoredToken): TokenRecord => token

/** The tokens to keep and to delete when a key gets a new token. */
export interface Room {
  /** The tokens to keep, newest first. */
  readonly kept: readonly StoredToken[]
  /** The digests of the tokens to delete. */
  readonly removed: readonly string[]
}

/**
 * Selects the tokens to delete when a key gets a new one: the oldest of those that are expired or revoked. Throws
 * TooManyTokens if the key already has `MAX_TOKENS` active tokens.
 */
export const makeRoom = (tokens: readonly StoredToken[], at: Date): Room => {
  const active = tokens.filter(token => isActive(token, at))
  if (active.length >= MAX_TOKENS) throw new TooManyTokens()
  const inactive = tokens.filter(token => !isActive(token, at))
  const surplus = new Set(inactive.slice(MAX_TOKENS - 1 - active.length))
  return {
    kept: tokens.filter(token => !surplus.has(token)),
    removed: Array.from(surplus, ({ digest }) => digest)
  }
}

/** Stores a new token for a key, and deletes the tokens that `makeRoom` selected. */
export const addToken = async (
  keys: KeyRows,
  id: string,
  { token, at, removed }: { readonly token: NewToken; readonly at: Date; readonly removed: readonly string[] }
): Promise<void> => {
  if (removed.length > 0) await keys.removeTokens(removed)
  await keys.insertToken(id, token, at)
}
