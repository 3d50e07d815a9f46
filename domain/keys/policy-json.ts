import type { ClientKey } from './client-key.ts'

/** What a key is and may do. */
export const toPolicyJson = (key: ClientKey) => ({
  id: key.id,
  name: key.name,
  source: key.source,
  scopes: key.scopes,
  expires_at: key.expiresAt,
  enabled: key.enabled,
  allowed_ips: key.allowedIps,
  rate_limit: key.rateLimit === null ? null : { max: key.rateLimit.max, window_seconds: key.rateLimit.windowSeconds }
})
