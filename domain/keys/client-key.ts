import { hash } from 'node:crypto'
import type { Actor } from '../audits/audit.ts'
import { UNSCOPED } from './policy/scopes.ts'

/** A limit of `max` requests per `windowSeconds`, shared by all tokens of a key. */
export interface RateLimit {
  readonly max: number
  readonly windowSeconds: number
}

/** Returns a key's rate limit. Throws if the key has none. */
export const rateLimitOf = ({ rateLimit }: Pick<Policy, 'rateLimit'>): RateLimit => {
  if (rateLimit === null) throw new Error('the key has no rate limit')
  return rateLimit
}

/** The permissions and limits of a client key. `S` is the type of the service's scopes. */
export interface Policy<S extends string = string> {
  /** The key's scopes. `*` covers all scopes. */
  readonly scopes: readonly S[]
  /** The time from which the key is refused, or null if it never expires. */
  readonly expiresAt: Date | null
  /**
   * The IP addresses and CIDR ranges from which the key is accepted. If empty, the key is accepted from any address.
   */
  readonly allowedIps: readonly string[]
  readonly rateLimit: RateLimit | null
}

/** A client key: its identity and policy, but neither a `key_id` nor a token. */
export interface ClientKey extends Policy {
  /**
   * Identifies the key in logs and responses without revealing anything about its `key_id`s. A UUIDv7, or `env_`
   * followed by 16 hexadecimal digits.
   */
  readonly id: string
  readonly name: string
  /** The source of the key: `environment` for an entry in `CLIENT_KEYS`, or `managed` for a row in the database. */
  readonly source: 'environment' | 'managed'
  /** Whose key it is, such as `customer:4711`, or null. It doesn't affect what the key may do. */
  readonly owner: string | null
  readonly enabled: boolean
  /** When the key was revoked, or null if it hasn't been. */
  readonly revokedAt: Date | null
}

/** A JSON object that is stored with a key. */
export type Metadata = Readonly<Record<string, unknown>>

/** A client key with the additional fields that are shown to users. */
export interface ClientKeyRecord extends ClientKey {
  readonly description: string | null
  readonly metadata: Metadata
  /** Null for an environment key, whose creation isn't recorded. */
  readonly createdAt: Date | null
  readonly createdBy: Actor | null
  readonly revokedReason: string | null
  /**
   * When a request with one of the key's tokens was last accepted, according to the usage that has been stored so far.
   */
  readonly lastUsedAt: Date | null
}

/** The fields of a key that can be changed. Omitted fields stay unchanged. */
export interface KeyChange<S extends string = string> extends Partial<Policy<S>> {
  readonly name?: string
  readonly description?: string | null
  readonly owner?: string | null
  readonly metadata?: Metadata
  readonly enabled?: boolean
}

/** The fields of a new key. Omitted fields of the policy impose no limit. */
export interface WantedKey<S extends string = string> extends KeyChange<S> {
  readonly name: string
}

/** The stored data of a token. Neither the token nor its `key_id` is stored. */
export interface TokenRecord {
  /** The generation of the secret that sealed the token: 8 hexadecimal digits. */
  readonly generation: string
  /** The last 4 characters of the token, so that people can recognize it. Null for tokens of environment keys. */
  readonly hint: string | null
  readonly createdAt: Date | null
  /** When the token expires, or null if no rotation has replaced it. */
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  readonly lastUsedAt: Date | null
  readonly lastUsedIp: string | null
  readonly lastUsedAgent: string | null
  readonly useCount: number
}

/** A token and the key that it belongs to. */
export interface KnownToken {
  readonly key: ClientKey
  /** The SHA-256 of the `key_id`, as 64 hexadecimal digits. */
  readonly digest: string
  readonly generation: string
  /** Identifies the token. Two tokens with the same `key_id` have different refs if their generations differ. */
  readonly ref: string
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  /** When a stored token was created. Undefined if that isn't known. */
  readonly createdAt?: Date
  /** The metadata of a stored key, a JSON object serialized as a string. Undefined if that isn't known. */
  readonly metadata?: string
}

/** The reason why a known token is refused, either permanently or temporarily. */
export type InactiveReason = 'key_revoked' | 'key_disabled' | 'key_expired' | 'token_revoked' | 'token_expired'

/**
 * Returns the reason why a known token is refused at `now` (milliseconds since 1970), or null if the token is active.
 */
export const inactiveReason = ({ key, revokedAt, expiresAt }: KnownToken, now: number): InactiveReason | null => {
  if (key.revokedAt !== null) return 'key_revoked'
  if (!key.enabled) return 'key_disabled'
  if (key.expiresAt !== null && now >= key.expiresAt.getTime()) return 'key_expired'
  // After a rotation without a grace period, the older tokens are both expired and revoked. They are reported as
  // expired, unless this clock is behind.
  if (expiresAt !== null && now >= expiresAt.getTime()) return 'token_expired'
  if (revokedAt !== null) return 'token_revoked'
  return null
}

/** A policy without any limits. */
export const UNLIMITED: Policy<typeof UNSCOPED> = {
  scopes: [UNSCOPED],
  expiresAt: null,
  allowedIps: [],
  rateLimit: null
}

/**
 * Returns the key for the allow-list entry with the given digest. The key has no limits, and is active until it's
 * revoked or the entry is removed.
 */
export const environmentKey = (digest: string): ClientKey => {
  // Hashed again so that an id in the log can't be used as an allow-list entry.
  const id = `env_${hash('sha256', digest).slice(0, 16)}`
  return { ...UNLIMITED, id, name: id, source: 'environment', owner: null, enabled: true, revokedAt: null }
}
