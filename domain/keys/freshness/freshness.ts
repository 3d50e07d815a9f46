import type { KnownToken } from '../client-key.ts'

/**
 * Tells for how long what was read of keys holds. What a token resolved to is cached with a mark, and counts while
 * `isFresh` says so: every change to a key, by whatever process, must end that for what was read of it before.
 */
export interface KeyFreshness {
  /**
   * Resolves when what `isFresh` knows of changes is at least as new as this call, whoever made them. Requests that
   * come together may share one promise, and one read. Rejects where that can't be told: then nobody is let in.
   */
  readonly barrier: () => Promise<void>
  /** A mark to be taken before a look-up, for what it finds; null: it may not be cached. */
  readonly mark: () => number | null
  /**
   * Whether what was looked up under a mark still holds for a key (by its id), as of the last barrier. False where that
   * is not sure. It may be false for keys that did not change, never true for one that did.
   */
  readonly isFresh: (mark: number, keyId: string) => boolean
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
  /**
   * Returns the present instant in milliseconds since 1970, by which keys and tokens expire; without this, that of this
   * machine.
   */
  readonly now?: () => number
}
