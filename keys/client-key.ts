import { hash } from 'node:crypto'

/** A client key as the service knows it: identity and policy, never the `key_id` nor a token. */
export interface ClientKey {
  /** Names the key in logs and replies; tells nothing of its `key_id`. */
  readonly id: string
  /** What allows the key: `environment` is an entry of `CLIENT_KEYS`. */
  readonly source: 'environment' | 'managed'
  /** The instant from which the key is refused; null: it never expires. */
  readonly expiresAt: Date | null
  /** The instant at which the key was revoked; null: it is not. */
  readonly revokedAt: Date | null
}

export const isLive = (key: ClientKey, now: Date): boolean =>
  key.revokedAt === null && (key.expiresAt === null || now < key.expiresAt)

/** The key that an allow-list entry stands for: unscoped, and good until the entry goes. */
export const environmentKey = (digest: string): ClientKey => ({
  // Hashed once more, so that a log line cannot be turned back into an allow-list entry.
  id: `env_${hash('sha256', digest).slice(0, 16)}`,
  source: 'environment',
  expiresAt: null,
  revokedAt: null
})
