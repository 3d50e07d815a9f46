import type { KnownToken } from '../../../domain/keys/client-key.ts'
import { toOptionalDate } from '../../timestamps.ts'
import { toKnownToken } from '../../key-records.ts'
import type { KnownTokenRow } from '../../key-records.ts'
import type { Connection } from '../driver.ts'

/**
 * Finds a token by its digest. This runs for every token that isn't cached, so it doesn't use Drizzle, and returns an
 * array.
 */
const FIND_TOKEN = `
  select key.id, key.name, key.owner, key.scopes, key.expires_at, key.enabled, key.allowed_ips, key.rate_limit_max,
    key.rate_limit_window_seconds,
    key.revoked_at, token.generation, token.expires_at, token.revoked_at, token.created_at, key.metadata
  from client_key_tokens as token join client_keys as key on key.row = token.client_key where token.digest = ?
`

/** Creates the two lookups that an authenticated request may need. */
export const createTokenReads = (connection: Connection) => {
  const findToken = connection.prepare<[string], KnownTokenRow>(FIND_TOKEN).raw()
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
