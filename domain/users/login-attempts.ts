import { hash } from 'node:crypto'
import type { Counters } from '../counters.ts'

/**
 * Counts a login attempt under a key. Returns null if it may be made, else the number of seconds until the next one
 * may. Rejects if that can't be determined.
 */
export type LoginAttemptLimit = (key: string) => Promise<number | null>

export interface LoginAttemptLimitOptions {
  /** The maximum number of attempts under a key within `seconds` of its first one. */
  readonly max: number
  readonly seconds: number
}

/** Counts login attempts, under keys of a name. */
export const createLoginAttemptLimit =
  (name: string, { max, seconds }: LoginAttemptLimitOptions, { hit }: Counters): LoginAttemptLimit =>
  async key => {
    // A digest, so that no address is in yet another place, and none makes it long.
    const { hits, ttlMs } = await hit(`sign_in:${name}:${hash('sha256', key, 'base64url')}`, seconds)
    return hits > max ? Math.max(1, Math.ceil(ttlMs / 1000)) : null
  }
