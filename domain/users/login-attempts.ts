import { hash } from 'node:crypto'
import type { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Counters } from '../counters.ts'

/**
 * Counts a login attempt under a key. Null: it may be made; else in how many seconds the next one may. Rejects where it
 * can't be told.
 */
export type LoginAttemptLimit = (key: string) => Promise<number | null>

export interface LoginAttemptLimitOptions {
  /** How many attempts a key has, */
  readonly max: number
  /** in how many seconds from its first one. */
  readonly seconds: number
  /** How many keys are counted at most; the one whose last attempt is the oldest is forgotten first. */
  readonly maxKeys: number
}

/** Counts login attempts where every node does, under keys of a name. */
export const createSharedLoginAttemptLimit =
  (name: string, { max, seconds }: Omit<LoginAttemptLimitOptions, 'maxKeys'>, { hit }: Counters): LoginAttemptLimit =>
  async key => {
    // A digest, so that no address is in yet another place, and none makes it long.
    const { hits, ttlMs } = await hit(`sign_in:${name}:${hash('sha256', key, 'base64url')}`, seconds)
    return hits > max ? Math.ceil(ttlMs / 1000) : null
  }

/** Counts login attempts in the memory of this process. */
export const createLoginAttemptLimit = ({ max, seconds, maxKeys }: LoginAttemptLimitOptions): LoginAttemptLimit => {
  let loading: Promise<RateLimiterMemory> | undefined
  const counted = new Set<string>()
  // An iterator of a Set goes on with what is added behind it, so this one is always just before the oldest key; a new
  // one would pass by all that were removed.
  const oldest = counted.values()

  return async key => {
    const limiter = await (loading ??= load(max, seconds))
    counted.delete(key)
    counted.add(key)
    // The limiter alone keeps every key until its time is over, however many come.
    const forgotten = counted.size > maxKeys ? oldest.next().value : undefined
    if (forgotten !== undefined) {
      counted.delete(forgotten)
      await limiter.delete(forgotten)
    }
    // It counts as `consume` does, which throws what this returns.
    const { consumedPoints, msBeforeNext } = await limiter.penalty(key)
    return consumedPoints > max ? Math.ceil(msBeforeNext / 1000) : null
  }
}

// The first attempt loads it, and no start has to wait for it.
const load = async (points: number, duration: number): Promise<RateLimiterMemory> => {
  const { RateLimiterMemory: Limiter } = await import('rate-limiter-flexible')
  return new Limiter({ points, duration, keyPrefix: '' })
}
