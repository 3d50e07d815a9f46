import type { Actor } from '../audits/audit.ts'
import type { Position } from './freshness/lease-store.ts'
import type { KeyUsageRows, UsageCount } from './usage/rows.ts'
import type { ClientKeyRecord, KeyChange, KnownToken, Policy, TokenRecord } from './client-key.ts'

export type * from './usage/rows.ts'

/** The data of a new token to store. */
export interface NewToken {
  /** The SHA-256 of the `key_id`, as 64 hexadecimal digits. */
  readonly digest: string
  readonly generation: string
  readonly hint: string
}

/** A token of a managed key, as stored. */
export interface StoredToken extends TokenRecord {
  /** The SHA-256 of the `key_id`, as 64 hexadecimal digits. */
  readonly digest: string
  readonly createdAt: Date
}

/** The data with which a retried request is recognized. It contains no secrets: the key and the request are hashed. */
export interface IdempotencyRecord {
  /** The requester: the id of a client key, or a user. */
  readonly requester: string
  /** The SHA-256 of the `Idempotency-Key`. */
  readonly keyHash: string
  /** The SHA-256 of the request. */
  readonly requestHash: string
  /** The id of the client key that the request issued or rotated. */
  readonly clientKeyId: string
  /** The digest of the token that the request created. */
  readonly tokenDigest: string
  readonly at: Date
}

export interface ClientKeyFilter {
  readonly enabled?: boolean | undefined
  readonly revoked?: boolean | undefined
  readonly expiresBefore?: Date | undefined
  /** Includes only keys that were created before this time and haven't been used since. */
  readonly unusedSince?: Date | undefined
  readonly namePrefix?: string | undefined
  /** Includes only keys with this owner. */
  readonly owner?: string | undefined
  /** Includes only keys that have this scope or `*`. If the value is `*`, includes only unscoped keys. */
  readonly scope?: string | undefined
  /** Includes only keys that have at least one of these scopes. */
  readonly anyOfScopes?: readonly string[] | undefined
  /** Includes only managed keys that have an active token of this generation. */
  readonly generation?: string | undefined
}

/** Statistics about the managed keys' tokens that were sealed with one secret. */
export interface GenerationUse {
  readonly generation: string
  /** The number of active tokens. */
  readonly activeTokens: number
  readonly lastUsedAt: Date | null
}

/** The stored data of an environment key, in addition to its entry in `CLIENT_KEYS`. */
export interface EnvironmentRecord {
  readonly revokedAt: Date | null
  readonly revokedReason: string | null
  /** The tokens that have been used, most recently used first. */
  readonly tokens: readonly TokenRecord[]
}

/** Reads managed keys, and the stored data of environment keys. */
export interface KeyReads {
  readonly find: (id: string) => Promise<ClientKeyRecord | null>
  /** Returns the unrevoked key with the given name. */
  readonly findByName: (name: string) => Promise<ClientKeyRecord | null>
  readonly findToken: (digest: string) => Promise<KnownToken | null>
  /** Returns when the environment key with the given digest was revoked, or null if it hasn't been. */
  readonly findRevocation: (digest: string) => Promise<Date | null>
  /**
   * Returns at most `limit` matching keys with ids greater than `after`, ordered by id. May yield to the event loop.
   */
  readonly page: (
    filter: ClientKeyFilter,
    page: { readonly limit: number; readonly after?: string | undefined; readonly at: Date }
  ) => Promise<ClientKeyRecord[]>
  /** Returns at most `limit` of a key's tokens, newest first. */
  readonly tokens: (id: string, page: { readonly limit: number }) => Promise<StoredToken[]>
  readonly environmentRecord: (key: { readonly id: string; readonly digest: string }) => Promise<EnvironmentRecord>
  /** Returns a key's usage counts for the given day and all later days, oldest first. */
  readonly usage: (id: string, since: { readonly day: string }) => Promise<UsageCount[]>
  /**
   * Returns the summed usage of all keys of an owner for the given day and all later days, oldest first. All addresses
   * are counted under `*`. May yield to the event loop.
   */
  readonly usageOfOwner: (owner: string, since: { readonly day: string }) => Promise<UsageCount[]>
  /**
   * Returns the policies of an owner's keys that aren't revoked. Of policies that differ at most in their expiry, it
   * may return only one that expires last. May yield to the event loop.
   */
  readonly policiesOfOwner: (owner: string) => Promise<Policy[]>
  /**
   * Returns the generations of all managed keys' tokens, each with the number of its tokens that are active at `at`.
   */
  readonly generations: (at: Date) => Promise<GenerationUse[]>
  /** Returns the generations of the managed keys' tokens that are active at `at`, except those in `known`. */
  readonly otherGenerations: (known: readonly string[], at: Date) => Promise<string[]>
}

/** The generations of the secrets of all processes that share the store. */
export interface SecretState {
  /** The generations that the last process recorded when it started. Empty if none have been recorded. */
  readonly recorded: readonly string[]
  /** The generations of each running node, the current one first. Empty if no nodes are known. */
  readonly nodes: readonly (readonly string[])[]
}

/** The stored data of a revocation. */
export interface Revocation {
  readonly at: Date
  readonly reason: string | null
}

/** The keys that were revoked together. */
export interface RevokedKeys {
  readonly count: number
  /** The policies of the keys, as `policiesOfOwner` returns them. */
  readonly policies: readonly Policy[]
}

/** A managed key to store. */
export interface NewClientKey extends ClientKeyRecord {
  readonly createdAt: Date
  readonly createdBy: Actor
}

/** A new revision. */
export interface Advance {
  /**
   * The change's position, which identifies its receipt. The promise may resolve only after the commit, so the
   * transaction must not await it.
   */
  readonly position: Promise<Position>
}

/**
 * Stores keys. The functions don't enforce any rules; the key service does. Reads don't necessarily see earlier writes
 * of the same transaction.
 */
export interface KeyRows extends KeyReads, KeyUsageRows {
  /**
   * Increments the revision, so that `KeyFreshness` reports the change. `keyId` is the id of the key that the
   * transaction changes, or `ALL_KEYS`. Every transaction that changes keys, tokens or services must call this function once,
   * after its reads and before its writes. If any key, token, service or secret that the transaction has read changes before the
   * commit, nothing is stored, and `work` runs again. With `ALL_KEYS`, throws NodesOutdated if a node doesn't apply
   * such changes.
   */
  readonly advanceRevision: (keyId: string) => Promise<Advance>

  readonly insert: (key: NewClientKey) => Promise<void>
  readonly update: (id: string, change: KeyChange) => Promise<void>
  readonly revoke: (id: string, revocation: Revocation) => Promise<void>
  /**
   * Revokes all keys of an owner that aren't revoked. Must be called in a bulk transaction. Until it ends, no other
   * transaction can give the owner a key.
   */
  readonly revokeOwner: (owner: string, revocation: Revocation) => Promise<RevokedKeys>
  /** Stores the revocation of the environment key with the given digest, which must not be revoked already. */
  readonly revokeEnvironmentKey: (digest: string, revocation: Revocation) => Promise<void>

  readonly secretState: () => Promise<SecretState>
  /** Replaces the recorded generations, if they haven't changed since they were read. */
  readonly recordGenerations: (generations: readonly string[], at: Date) => Promise<void>

  readonly insertToken: (id: string, token: NewToken, createdAt: Date) => Promise<void>
  /** Sets the expiry of a key's tokens, except tokens that expire earlier. */
  readonly expireTokens: (id: string, expiresAt: Date) => Promise<void>
  /** Revokes a key's tokens. Tokens that are already revoked stay unchanged. */
  readonly revokeTokens: (id: string, at: Date) => Promise<void>
  readonly revokeToken: (digest: string, at: Date) => Promise<void>
  readonly removeTokens: (digests: readonly string[]) => Promise<void>

  readonly findIdempotencyRecord: (requester: string, keyHash: string) => Promise<IdempotencyRecord | null>
  /** Stores a record. If another request has stored a record with the same requester and key, `work` runs again. */
  readonly insertIdempotencyRecord: (record: IdempotencyRecord) => Promise<void>
  /** Replaces the token digest in the record with the given requester and key. */
  readonly updateIdempotencyRecord: (
    record: Pick<IdempotencyRecord, 'requester' | 'keyHash' | 'tokenDigest'>
  ) => Promise<void>
  /** Deletes the records that were created at or before the given time. */
  readonly removeIdempotencyRecords: (until: Date) => Promise<void>
}
