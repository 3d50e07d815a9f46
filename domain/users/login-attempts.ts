import { hash } from 'node:crypto'
import type { Counters } from '../counters.ts'

/**
 * Counts a login attempt under the given key. Returns null if the attempt is allowed, or otherwise the number of
 * seconds until the next one is allowed. Rejects if this can't be determined.
 */
export type LoginAttemptLimit = (key: string) => Promise<number | null>

export interface LoginAttemptLimitOptions {
  /** The maximum number of attempts under a key within `seconds` after the first one. */
  readonly max: number
  readonly seconds: number
}

/** Creates a limit for login attempts. `name` distinguishes its keys from those of other limits. */
export const createLoginAttemptLimit =
  (name: string, { max, seconds }: LoginAttemptLimitOptions, { hit }: Counters): LoginAttemptLimit =>
  async key => {
    // The key is hashed, so that no e-mail address is stored here and every key is short.
    const { hits, ttlMs } = await hit(`sign_in:${name}:${hash('sha256', key, 'base64url')}`, seconds)
    return hits > max ? Math.max(1, Math.ceil(ttlMs / 1000)) : null
  }
