import type { KnownToken } from './client-key.ts'

/**
 * Tells for how long what was read of keys holds. What a token resolved to is cached for as long as `revision` stays
 * the same, so every change to any key, by whatever process, must move it.
 */
export interface KeyFreshness {
  /**
   * Resolves when `revision` answers at least what it was when this was called, whoever changed it. Requests that come
   * together may share one promise, and one read. Rejects where that can't be told.
   */
  readonly barrier: () => Promise<void>
  /** The number of changes as of the last barrier, from memory; null where it is not sure: then nothing is cached. */
  readonly revision: () => number | null
}

/**
 * What an authenticated request needs of stored keys, and nothing else: see `KeyFreshness`. Keys are found by the
 * digest (SHA-256, 64 hexadecimal digits) of their `key_id`, where the cache does not know the token.
 */
export interface KeyLookup extends KeyFreshness {
  /** The token of a managed key, active or not; null where there is none. */
  readonly findByDigest: (digest: string) => KnownToken | null | Promise<KnownToken | null>
  /** When the environment key of this digest was revoked; null: it was not. Without this, none ever is. */
  readonly findRevocation?: (digest: string) => Date | null | Promise<Date | null>
}
