import type { KnownToken } from '../client-key.ts'

/**
 * Determines how long cached keys are valid. A token's key is cached with a mark, and may be used while `isFresh`
 * returns true. When any process changes a key, all earlier lookup results for that key must become invalid.
 */
export interface KeyFreshness {
  /**
   * Resolves when `isFresh` reflects all changes that any process committed before this call. Concurrent requests may
   * share one promise and one read. Rejects if this can't be determined; in that case, the request is refused.
   */
  readonly barrier: () => Promise<void>
  /**
   * Returns a mark for the result of a lookup, or null if the result must not be cached. Must be called before the
   * lookup.
   */
  readonly mark: () => number | null
  /**
   * Returns whether a lookup result with the given mark is still valid for a key, as of the last barrier. May return
   * false for a key that hasn't changed, but never returns true for a key that has changed.
   */
  readonly isFresh: (mark: number, keyId: string) => boolean
}

/**
 * Looks up a token's key when a request is authenticated, and determines how long the result is valid. The digest of a
 * token is the SHA-256 of its `key_id`, as 64 hexadecimal digits.
 */
export interface KeyLookup extends KeyFreshness {
  /** Returns the managed key's token with the given digest, even if it isn't active, or null if it doesn't exist. */
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
   * Returns the current time of the clock that determines when keys and tokens expire, in milliseconds since 1970.
   * Defaults to the clock of this machine.
   */
  readonly now?: () => number
}
