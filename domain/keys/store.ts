import type { Origin } from '../audits/audit.ts'
import type { ClientKey, ClientKeyRecord, KeyChange, KnownToken, Policy, TokenRecord } from './client-key.ts'
import type { TokenUse } from './evidence.ts'
import type { Grant } from './scopes.ts'

/**
 * Where a client key is looked up by the digest (SHA-256, 64 hexadecimal digits) of its `key_id`.
 *
 * What a token resolved to is cached for as long as `epoch` stays the same, so every change to any key, by whatever
 * process, must move it. Each request waits for `barrier` and then reads `epoch`; the others are called only where the
 * cache does not know the token, and may be asynchronous.
 */
export interface ClientKeyLookup {
  /**
   * Resolves when `epoch` answers at least what it was when this was called, whoever changed it. Requests that come
   * together may share one promise, and one read. Rejects where that can't be told.
   */
  barrier: () => Promise<void>
  /** The number of changes as of the last barrier. Reads memory. */
  epoch: () => number
  /** The token of a managed key, good or not; null where there is none. */
  findByDigest: (digest: string) => KnownToken | null | Promise<KnownToken | null>
  /** When the environment key of this digest was revoked; null: it was not. Without this, none ever is. */
  findRevocation?: (digest: string) => Date | null | Promise<Date | null>
}

/**
 * Who asks for a change. A client key asks with a token, which is looked up once more in the transaction of the change:
 * a token that is good no more by then changes nothing, and what is good bounds what it may give. Without a token,
 * nothing does.
 */
export interface Author {
  readonly origin: Origin
  readonly token: KnownToken | null
  /** What bounds an author without a token; without this, nothing does. */
  readonly bounds?: Policy
}

/** A managed key to be stored. */
export type NewClientKey = Omit<
  ClientKeyRecord,
  'source' | 'revokedAt' | 'revokedReason' | 'createdAt' | 'createdBy' | 'lastUsedAt'
>

/** A token to be stored: everything that is kept of it. */
export interface NewToken {
  readonly digest: string
  readonly generation: string
  readonly hint: string
}

/** What tells a request that is sent again from a new one. Nothing of it is secret: keys and bodies are hashed. */
export interface Attempt {
  /** The id of the key that asks. */
  readonly caller: string
  /** SHA-256 of the `Idempotency-Key`. */
  readonly keyHash: string
  /** SHA-256 of what was asked for. */
  readonly requestHash: string
  /** Attempts before this instant are forgotten. */
  readonly since: Date
}

export interface ClientKeyFilter {
  readonly enabled?: boolean | undefined
  readonly revoked?: boolean | undefined
  readonly expiresBefore?: Date | undefined
  /** Keys that were made before this instant, and no token of which was used from it on. */
  readonly unusedSince?: Date | undefined
  readonly namePrefix?: string | undefined
  /** Keys that may do what asks for this scope; with `*`, unscoped keys only. */
  readonly scope?: Grant | undefined
  /** Managed keys with a token that is good and that the secret of this generation sealed. */
  readonly generation?: string | undefined
}

/** How often something was seen of a key on a day. */
export interface UsageCount {
  /** UTC, such as 2026-01-31. */
  readonly day: string
  readonly kind: 'scope' | 'refusal' | 'address'
  /** The scope, the reason, or the address; `*` stands for the addresses beyond the first hundred of a day. */
  readonly label: string
  readonly count: number
}

/** The tokens that one secret sealed. */
export interface GenerationUse {
  readonly generation: string
  readonly source: ClientKey['source']
  /** How many tokens are good; null for environment keys: nobody counts what is not stored. */
  readonly liveTokens: number | null
  readonly lastUsedAt: Date | null
}

/** What is known of an environment key beyond its entry in `CLIENT_KEYS`. */
export interface EnvironmentRecord {
  readonly revokedAt: Date | null
  readonly revokedReason: string | null
  /** Those that were seen, the last one used first. */
  readonly tokens: readonly TokenRecord[]
}

/**
 * Where managed keys are kept, and what is known of environment keys. Every change is whole or not made, writes its
 * audit entry in the same transaction, moves the epoch, and is refused with `BeyondCeiling` where the key, before or
 * after, goes beyond what its author may give, and with `InvalidToken` where the author is good no more. Verbs answer
 * null where there is no such key.
 */
export interface ClientKeyStore extends ClientKeyLookup {
  /**
   * Stores a key with its first token. Throws `ClientKeyNameTaken`, or, for an attempt that was made before for
   * something else, `IdempotencyKeyReused`. An attempt that was made before for the same gives the key that it made;
   * the token of then dies, and the new one takes its place.
   */
  insert: (
    key: NewClientKey,
    token: NewToken,
    at: Date,
    author: Author,
    attempt: Attempt | null
  ) => Promise<ClientKeyRecord>
  /**
   * Adds a token, where the key has not too many that are good (`TooManyTokens`); the older ones, which it answers, die
   * at `deadline` at the latest. An attempt made before keeps the deadlines of then.
   */
  rotate: (
    id: string,
    token: NewToken,
    at: Date,
    deadline: Date,
    author: Author,
    attempt: Attempt | null
  ) => Promise<{ key: ClientKeyRecord; older: TokenRecord[] } | null>
  /** Throws `ClientKeyRevoked`, `ClientKeyNameTaken`. */
  change: (id: string, change: KeyChange, at: Date, author: Author) => Promise<ClientKeyRecord | null>
  /** Revokes a key, once: the first revocation and its reason stay. */
  revoke: (id: string, reason: string | null, at: Date, author: Author) => Promise<ClientKeyRecord | null>
  revokeEnvironmentKey: (
    key: ClientKey,
    digest: string,
    reason: string | null,
    at: Date,
    author: Author
  ) => Promise<void>

  find: (id: string) => Promise<ClientKeyRecord | null>
  /** The key of this name that is not revoked. */
  findByName: (name: string) => Promise<ClientKeyRecord | null>
  /** The keys that match, ordered by id: `limit` of them, after the id `after`. */
  page: (filter: ClientKeyFilter, limit: number, after?: string) => Promise<{ keys: ClientKeyRecord[]; more: boolean }>
  /** The newest hundred tokens of a key, the newest first. */
  tokens: (id: string) => Promise<TokenRecord[]>
  environmentRecord: (key: ClientKey, digest: string) => Promise<EnvironmentRecord>

  /** Writes down what was seen on a day; see `TokenUse`. It audits nothing and leaves the epoch as it is. */
  recordUses: (day: string, uses: readonly TokenUse[]) => Promise<void>
  /** From a day on, the oldest first. */
  usage: (id: string, from: string) => Promise<UsageCount[]>
  generations: (at: Date) => Promise<GenerationUse[]>
  /** The generations of managed tokens that are good at an instant and that none of `known` sealed. */
  orphans: (known: readonly string[], at: Date) => Promise<string[]>
}
