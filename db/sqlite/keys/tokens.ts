import type { KnownToken } from '../../../domain/keys/client-key.ts'
import { toOptionalDate } from '../../instants.ts'
import { toRateLimit } from '../../key-records.ts'
import type { Connection } from '../driver.ts'

/** A digest is looked up for every token that is not cached, so this is read without Drizzle and by position. */
const FIND_TOKEN = `
  select key.id, key.name, key.scopes, key.expires_at, key.enabled, key.allowed_ips, key.rate_limit_max,
    key.rate_limit_window_seconds,
    key.revoked_at, token.generation, token.expires_at, token.revoked_at
  from client_key_tokens as token join client_keys as key on key.row = token.client_key where token.digest = ?
`

type TokenRow = [
  id: string,
  name: string,
  scopes: string,
  expiresAt: string | null,
  enabled: number,
  allowedIps: string,
  rateLimitMax: number | null,
  rateLimitWindowSeconds: number | null,
  revokedAt: string | null,
  generation: string,
  tokenExpiresAt: string | null,
  tokenRevokedAt: string | null
]

const toKnownToken = (
  digest: string,
  [id, name, scopes, expiresAt, enabled, ips, max, windowSeconds, revokedAt, generation, expires, revoked]: TokenRow
): KnownToken => ({
  key: {
    id,
    name,
    source: 'managed',
    scopes: JSON.parse(scopes) as string[],
    expiresAt: toOptionalDate(expiresAt),
    enabled: enabled === 1,
    allowedIps: JSON.parse(ips) as string[],
    rateLimit: toRateLimit(max, windowSeconds),
    revokedAt: toOptionalDate(revokedAt)
  },
  digest,
  generation,
  ref: digest,
  expiresAt: toOptionalDate(expires),
  revokedAt: toOptionalDate(revoked)
})

/** Makes the two reads that an authenticated request may need. */
export const createTokenReads = (connection: Connection) => {
  const findToken = connection.prepare<[string], TokenRow>(FIND_TOKEN).raw()
  const findRevocation = connection
    .prepare<[string], string>('select revoked_at from environment_key_revocations where digest = ?')
    .pluck()
  return {
    findToken: (digest: string): KnownToken | null => {
      const row = findToken.get(digest)
      return row === undefined ? null : toKnownToken(digest, row)
    },
    findRevocation: (digest: string): Date | null => toOptionalDate(findRevocation.get(digest) ?? null)
  }
}
