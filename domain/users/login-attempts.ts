import { hash } from 'node:crypto'
import type { Counters } from '../counters.ts'

/**
 * Counts a login attempt for a key, such as an address or an account. Returns null if the attempt is allowed;
 * otherwise, returns the number of seconds until the next attempt is allowed. Rejects if this can't be determined.
 */
export type LoginAttemptLimit = (key: string) => Promise<number | null>

export interface LoginAttemptLimitOptions {
  /** The maximum number of attempts per key within `seconds` of the first attempt. */
  readonly max: number
  readonly seconds: number
}

/** Creates a limit for login attempts. `name` distinguishes its keys from those of other limits. */
export const createLoginAttemptLimit =
  (name: string, { max, seconds }: LoginAttemptLimitOptions, { hit }: Counters): LoginAttemptLimit =>
  async key => {
    // Hashed so that no e-mail address is stored and all keys are short.
    const { hits, ttlMs } = await hit(`sign_in:${name}:${hash('sha256', key, 'base64url')}`, seconds)
    return hits > max ? Math.max(1, Math.ceil(ttlMs / 1000)) : null
  }
