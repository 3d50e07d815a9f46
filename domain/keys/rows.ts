import type { Actor } from '../audits/audit.ts'
import type { Position } from './freshness/lease-store.ts'
import type { ClientKeyRecord, KeyChange, KnownToken, TokenRecord } from './client-key.ts'

/** A token to be stored: everything that is kept of it. */
export interface NewToken {
  /** SHA-256 of its `key_id`, as 64 hexadecimal digits. */
  readonly digest: string
  readonly generation: string
  readonly hint: string
}

/** A token of a managed key, as it is stored. */
export interface StoredToken extends TokenRecord {
  /** SHA-256 of its `key_id`, as 64 hexadecimal digits. */
  readonly digest: string
  readonly createdAt: Date
}

/** Tells a request that is sent again from a new one. Nothing of it is secret: keys and bodies are hashed. */
export interface IdempotencyRecord {
  /** Who sent it: the id of a key, or a user. */
  readonly requester: string
  /** SHA-256 of the `Idempotency-Key`. */
  readonly keyHash: string
  /** SHA-256 of the request. */
  readonly requestHash: string
  /** The id of the client key that the request made or rotated. */
  readonly clientKeyId: string
  /** The digest of the token that it made. */
  readonly tokenDigest: string
  readonly at: Date
}

export interface ClientKeyFilter {
  readonly enabled?: boolean | undefined
  readonly revoked?: boolean | undefined
  readonly expiresBefore?: Date | undefined
  /** Keys that were made before this instant, and no token of which was used from it on. */
  readonly unusedSince?: Date | undefined
  readonly namePrefix?: string | undefined
  /** Keys that may do what needs this scope; with `*`, unscoped keys only. */
  readonly scope?: string | undefined
  /** Managed keys with an active token that the secret of this generation sealed. */
  readonly generation?: string | undefined
}

/** How often something was recorded of a key on a day. */
export interface UsageCount {
  /** UTC, such as 2026-01-31. */
  readonly day: string
  readonly kind: 'scope' | 'refusal' | 'address'
  /** The scope, the reason, or the address; `*` stands for the addresses beyond the first hundred of a day. */
  readonly label: string
  readonly count: number
}

/** The last use of a token in a batch, and how many there were. */
export interface TokenUsage {
  readonly count: number
  readonly lastUsedAt: Date
  readonly lastUsedIp: string
  readonly lastUsedAgent: string | null
}

/** The use of a managed token. */
export interface ManagedUsage extends TokenUsage {
  /** Of the token, as 64 hexadecimal digits. */
  readonly digest: string
}

/** The use of a token of an environment key, which is told by its generation. */
export interface EnvironmentUsage extends TokenUsage {
  readonly id: string
  readonly generation: string
}

/** A count of a key. */
export interface KeyUsageCount extends UsageCount {
  readonly id: string
}

/** A count of a key, with what is stored of its label. */
export interface KnownUsageCount extends KeyUsageCount {
  readonly isStored: boolean
  /** How many labels of this kind the key has on this day. */
  readonly labels: number
}

/** The tokens of managed keys that one secret sealed. */
export interface GenerationUse {
  readonly generation: string
  /** How many of them are active. */
  readonly liveTokens: number
  readonly lastUsedAt: Date | null
}

/** What is known of an environment key beyond its entry in `CLIENT_KEYS`. */
export interface EnvironmentRecord {
  readonly revokedAt: Date | null
  readonly revokedReason: string | null
  /** Those that were used, the last one first. */
  readonly tokens: readonly TokenRecord[]
}

/** What is read of managed keys, and of what is stored about environment keys. */
export interface KeyReads {
  readonly find: (id: string) => Promise<ClientKeyRecord | null>
  /** The key of this name that is not revoked. */
  readonly findByName: (name: string) => Promise<ClientKeyRecord | null>
  readonly findToken: (digest: string) => Promise<KnownToken | null>
  /** When the environment key of this digest was revoked; null: it was not. */
  readonly findRevocation: (digest: string) => Promise<Date | null>
  /** Keys that match, ordered by id, at most `limit`, after the id `after`. It may let other work have its turn. */
  readonly page: (
    filter: ClientKeyFilter,
    page: { readonly limit: number; readonly after?: string | undefined; readonly at: Date }
  ) => Promise<ClientKeyRecord[]>
  /** The tokens of a key, the newest first, at most `limit`. */
  readonly tokens: (id: string, page: { readonly limit: number }) => Promise<StoredToken[]>
  readonly environmentRecord: (key: { readonly id: string; readonly digest: string }) => Promise<EnvironmentRecord>
  /** From a day on, the oldest first. */
  readonly usage: (id: string, since: { readonly day: string }) => Promise<UsageCount[]>
  /** Each generation that a token of a managed key has, with how many of its tokens are active at an instant. */
  readonly generations: (at: Date) => Promise<GenerationUse[]>
  /** The generations of managed tokens that are active at an instant, those in `known` left out. */
  readonly otherGenerations: (known: readonly string[], at: Date) => Promise<string[]>
}

/** Which secrets processes have over the same store, by their generations. */
export interface SecretState {
  /** Those of the last process to record its own; none: no process has. */
  readonly recorded: readonly string[]
  /** Those of each node that runs, the current one first; none where no nodes are known. */
  readonly nodes: readonly (readonly string[])[]
}

/** What is stored of a revocation. */
export interface Revocation {
  readonly at: Date
  readonly reason: string | null
}

/** A managed key to be stored. */
export interface NewClientKey extends ClientKeyRecord {
  readonly createdAt: Date
  readonly createdBy: Actor
}

/** What stores how keys are used. */
export interface KeyUsageRows {
  /**
   * Adds uses of managed tokens, each of which is named once, and of their keys; of what is earlier than what is
   * stored, only the count.
   */
  readonly addTokenUsage: (uses: readonly ManagedUsage[]) => Promise<void>
  /** The same for tokens of environment keys. */
  readonly addEnvironmentUsage: (uses: readonly EnvironmentUsage[]) => Promise<void>
  /**
   * Tells of counts which labels are stored, and how many there are. Where one is not stored, nobody else adds a label
   * from here to the end of the transaction.
   */
  readonly lockUsageLabels: (counts: readonly KeyUsageCount[]) => Promise<KnownUsageCount[]>
  /** Adds counts, each to what is stored of its label. */
  readonly addUsage: (counts: readonly KeyUsageCount[]) => Promise<void>
  /** Removes counts of earlier days, in a transaction of its own; what is in use then may be left for the next time. */
  readonly removeUsage: (before: { readonly day: string }) => Promise<void>
}

/** A move of the revision. */
export interface Advance {
  /** The change, by which its receipt is asked for. It may resolve after the commit: not to be awaited before. */
  readonly position: Promise<Position>
}

/**
 * Verbs without rules: which of them may be called, and for whom, is up to the key service. The reads of a transaction
 * may not see what it has written itself.
 */
export interface KeyRows extends KeyReads, KeyUsageRows {
  /**
   * Moves the revision, which `KeyFreshness` then reports; `keyId` is the id of the key that the transaction changes.
   * Every transaction that changes keys or tokens calls it once, after its reads and before its writes. What it has
   * read of keys, tokens and secrets is still true when it commits; otherwise nothing is stored, and `work` runs again.
   */
  readonly advanceRevision: (keyId: string) => Promise<Advance>

  readonly insert: (key: NewClientKey) => Promise<void>
  readonly update: (id: string, change: KeyChange) => Promise<void>
  readonly revoke: (id: string, revocation: Revocation) => Promise<void>
  /** Stores the revocation of a digest that has none. */
  readonly revokeEnvironmentKey: (digest: string, revocation: Revocation) => Promise<void>

  readonly secretState: () => Promise<SecretState>
  /** Records generations in the place of those that are recorded, if these are still those that were read. */
  readonly recordGenerations: (generations: readonly string[], at: Date) => Promise<void>

  readonly insertToken: (id: string, token: NewToken, createdAt: Date) => Promise<void>
  /** Has the tokens of a key expire at an instant, those that expire earlier left as they are. */
  readonly expireTokens: (id: string, expiresAt: Date) => Promise<void>
  /** Revokes the tokens of a key; a token that is revoked already stays as it is. */
  readonly revokeTokens: (id: string, at: Date) => Promise<void>
  readonly revokeToken: (digest: string, at: Date) => Promise<void>
  readonly removeTokens: (digests: readonly string[]) => Promise<void>

  readonly findIdempotencyRecord: (requester: string, keyHash: string) => Promise<IdempotencyRecord | null>
  /** Stores a record. If another request has stored one of the same requester and key by now, `work` runs again. */
  readonly insertIdempotencyRecord: (record: IdempotencyRecord) => Promise<void>
  /** Stores another token in the record of a requester and key. */
  readonly updateIdempotencyRecord: (
    record: Pick<IdempotencyRecord, 'requester' | 'keyHash' | 'tokenDigest'>
  ) => Promise<void>
  /** Removes the records that were made at this instant or before. */
  readonly removeIdempotencyRecords: (until: Date) => Promise<void>
}
