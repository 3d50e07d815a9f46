import type { KnownToken } from '../client-key.ts'

/**
 * Determines how long cached keys are valid. A token's key is cached with a mark, and may be used as long as `isFresh`
 * returns true. Every change to a key, by any process, must invalidate everything that was read about that key before.
 */
export interface KeyFreshness {
  /**
   * Resolves when `isFresh` reflects all changes that any process committed before this call. Concurrent requests may
   * share one promise and one read. Rejects if that can't be determined; in that case, no request is accepted.
   */
  readonly barrier: () => Promise<void>
  /**
   * Returns a mark for the result of a lookup, or null if the result must not be cached. Must be called before the
   * lookup.
   */
  readonly mark: () => number | null
  /**
   * Returns whether the result of a lookup with the given mark is still valid for the given key id, as of the last
   * barrier. Returns false if that is uncertain. It may return false for a key that hasn't changed, but never true for
   * one that has.
   */
  readonly isFresh: (mark: number, keyId: string) => boolean
}

/**
 * The access to stored keys that authenticated requests need: see `KeyFreshness`. If a token isn't cached, its key is
 * found by the digest of its `key_id` (SHA-256, 64 hexadecimal digits).
 */
export interface KeyLookup extends KeyFreshness {
  /** Returns the managed key's token with the given digest, active or not, or null if it doesn't exist. */
  readonly findByDigest: (digest: string) => KnownToken | null | Promise<KnownToken | null>
  /**
   * Does the same for several digests at once, and returns the tokens that exist, by digest. If this function is
   * missing, `findByDigest` is called for each of them.
   */
  readonly findByDigests?: (
    digests: readonly string[]
  ) => ReadonlyMap<string, KnownToken> | Promise<ReadonlyMap<string, KnownToken>>
  /**
   * Returns when the environment key with the given digest was revoked, or null if it wasn't. If this function is
   * missing, environment keys can't be revoked.
   */
  readonly findRevocation?: (digest: string) => Date | null | Promise<Date | null>
  /**
   * Returns the current time in milliseconds since 1970, which decides when keys and tokens expire. Defaults to the
   * clock of this machine.
   */
  readonly now?: () => number
}
