import { hash } from 'node:crypto'
import type { Actor } from '../audits/audit.ts'
import { UNSCOPED } from './scopes.ts'
import type { Grant } from './scopes.ts'

/** So many requests in so many seconds, over all tokens of a key. */
export interface RateLimit {
  readonly max: number
  readonly windowSeconds: number
}

/** The rate limit of a key that has one. */
export const rateLimitOf = ({ rateLimit }: Pick<Policy, 'rateLimit'>): RateLimit => {
  if (rateLimit === null) throw new Error('the key has no rate limit')
  return rateLimit
}

/** What a client key may do, from where, how often and until when. */
export interface Policy {
  /** `*` is all of them. */
  readonly scopes: readonly Grant[]
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
  /** Null for an environment key: nobody knows. */
  readonly createdAt: Date | null
  readonly createdBy: Actor | null
  readonly revokedReason: string | null
  /** When any of its tokens was last let in, as far as that has been written down. */
  readonly lastUsedAt: Date | null
}

/** What may be changed of a key; what is left out stays as it is. */
export interface KeyChange extends Partial<Policy> {
  readonly name?: string
  readonly description?: string | null
  readonly metadata?: string
  readonly enabled?: boolean
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

/** Why a known token is not good any more, or not now. */
export type Dead = 'key_revoked' | 'key_disabled' | 'key_expired' | 'token_revoked' | 'token_expired'

/** Why a known token is refused at an instant (milliseconds since 1970); null: it is good. */
export const whyDead = ({ key, revokedAt, expiresAt }: KnownToken, now: number): Dead | null => {
  if (key.revokedAt !== null) return 'key_revoked'
  if (!key.enabled) return 'key_disabled'
  if (key.expiresAt !== null && now >= key.expiresAt.getTime()) return 'key_expired'
  if (revokedAt !== null) return 'token_revoked'
  if (expiresAt !== null && now >= expiresAt.getTime()) return 'token_expired'
  return null
}

/** A policy without any limit. */
export const UNLIMITED: Policy = { scopes: [UNSCOPED], expiresAt: null, allowedIps: [], rateLimit: null }

/** The key that an allow-list entry stands for: without limits, and good until the entry goes or the key is revoked. */
export const environmentKey = (digest: string): ClientKey => {
  // Hashed once more, so that a log line cannot be turned back into an allow-list entry.
  const id = `env_${hash('sha256', digest).slice(0, 16)}`
  return { ...UNLIMITED, id, name: id, source: 'environment', enabled: true, revokedAt: null }
}
