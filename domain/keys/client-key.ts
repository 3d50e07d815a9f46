import { hash } from 'node:crypto'
import type { Actor } from '../audits/audit.ts'
import { UNSCOPED } from './policy/scopes.ts'

/** At most `max` requests in `windowSeconds`, over all tokens of a key. */
export interface RateLimit {
  readonly max: number
  readonly windowSeconds: number
}

/** The rate limit of a key that has one. */
export const rateLimitOf = ({ rateLimit }: Pick<Policy, 'rateLimit'>): RateLimit => {
  if (rateLimit === null) throw new Error('the key has no rate limit')
  return rateLimit
}

/** What a client key may do, from where, how often and until when; `S` are the scopes of the service. */
export interface Policy<S extends string = string> {
  /** `*` is all of them. */
  readonly scopes: readonly S[]
  /** The instant from which the key is refused; null: it never expires. */
  readonly expiresAt: Date | null
  /** IP addresses and CIDR ranges the key may be used from; none means any. */
  readonly allowedIps: readonly string[]
  readonly rateLimit: RateLimit | null
}

/** A client key as the service knows it: identity and policy, never the `key_id` nor a token. */
export interface ClientKey extends Policy {
  /**
   * Names the key in logs and replies; tells nothing of its `key_id`s. A UUIDv7, or `env_` and 16 hexadecimal digits.
   */
  readonly id: string
  readonly name: string
  /** What allows the key: `environment` is an entry of `CLIENT_KEYS`, `managed` a row in the database. */
  readonly source: 'environment' | 'managed'
  readonly enabled: boolean
  /** The instant at which the key was revoked; null: it is not. */
  readonly revokedAt: Date | null
}

/** A client key with what people are told of it. */
export interface ClientKeyRecord extends ClientKey {
  readonly description: string | null
  /** A JSON object, as text. */
  readonly metadata: string
  /** Null for an environment key: it is not known. */
  readonly createdAt: Date | null
  readonly createdBy: Actor | null
  readonly revokedReason: string | null
  /** When a request with any of its tokens was last accepted, as far as that is stored. */
  readonly lastUsedAt: Date | null
}

/** What may be changed of a key; what is left out stays as it is. */
export interface KeyChange<S extends string = string> extends Partial<Policy<S>> {
  readonly name?: string
  readonly description?: string | null
  readonly metadata?: string
  readonly enabled?: boolean
}

/** What a new key is to be; what is left out is not limited. */
export interface WantedKey<S extends string = string> extends KeyChange<S> {
  readonly name: string
}

/** What is kept of a token: no token is, nor the `key_id` in it. */
export interface TokenRecord {
  /** The secret that sealed it: 8 hexadecimal digits. */
  readonly generation: string
  /** The last 4 characters of the token, for people to tell it by; null for the tokens of environment keys. */
  readonly hint: string | null
  readonly createdAt: Date | null
  /** Set when the token was rotated out. */
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  readonly lastUsedAt: Date | null
  readonly lastUsedIp: string | null
  readonly lastUsedAgent: string | null
  readonly useCount: number
}

/** What a token that opened stands for. */
export interface KnownToken {
  readonly key: ClientKey
  /** SHA-256 of its `key_id`, as 64 hexadecimal digits. */
  readonly digest: string
  readonly generation: string
  /** Names the token among all others, those of other generations for the same `key_id` included. */
  readonly ref: string
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

/** Why a known token is refused, permanently or for now. */
export type InactiveReason = 'key_revoked' | 'key_disabled' | 'key_expired' | 'token_revoked' | 'token_expired'

/** Why a known token is refused at an instant (milliseconds since 1970); null: it is active. */
export const inactiveReason = ({ key, revokedAt, expiresAt }: KnownToken, now: number): InactiveReason | null => {
  if (key.revokedAt !== null) return 'key_revoked'
  if (!key.enabled) return 'key_disabled'
  if (key.expiresAt !== null && now >= key.expiresAt.getTime()) return 'key_expired'
  // What a rotation without a grace period ends is both, by any clock that is right.
  if (expiresAt !== null && now >= expiresAt.getTime()) return 'token_expired'
  if (revokedAt !== null) return 'token_revoked'
  return null
}

/** A policy without any limit. */
export const UNLIMITED: Policy<typeof UNSCOPED> = {
  scopes: [UNSCOPED],
  expiresAt: null,
  allowedIps: [],
  rateLimit: null
}

/** The key that an allow-list entry stands for: without limits, active until it is revoked or the entry is removed. */
export const environmentKey = (digest: string): ClientKey => {
  // Hashed once more, so that a log line cannot be turned back into an allow-list entry.
  const id = `env_${hash('sha256', digest).slice(0, 16)}`
  return { ...UNLIMITED, id, name: id, source: 'environment', enabled: true, revokedAt: null }
}
