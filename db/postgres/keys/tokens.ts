import type { KnownToken } from '../../../domain/keys/client-key.ts'
import { toDate } from '../../timestamps.ts'
import { toKnownToken } from '../../key-records.ts'
import type { KnownTokenRow } from '../../key-records.ts'
import type { PostgresDatabase } from '../database.ts'
import { asQuery } from '../failures.ts'

// The columns of KnownTokenRow, in order.
const COLUMNS = `
  key.id, key.name, key.owner, key.scopes, key.expires_at, key.enabled, key.allowed_ips, key.rate_limit_max::float8,
  key.rate_limit_window_seconds::float8, key.revoked_at, token.generation, token.expires_at, token.revoked_at,
  token.created_at, key.metadata`

const TOKENS = 'client_key_tokens as token join client_keys as key on key.row = token.client_key'

/**
 * Finds a token by its digest. This runs for every token that isn't cached, so it doesn't use Drizzle, and returns an
 * array.
 */
export const FIND_TOKEN = `select ${COLUMNS} from ${TOKENS} where token.digest = $1`

/** Finds several tokens. The first column of each row is the digest, as hexadecimal digits. */
export const FIND_TOKENS = `
  select encode(token.digest, 'hex'), ${COLUMNS} from ${TOKENS} where token.digest = any($1)`

export const FIND_REVOCATION = 'select revoked_at from environment_key_revocations where digest = $1'

/** The columns of the row that FIND_REVOCATION returns, in order. */
export type RevocationRow = [revokedAt: string]

/**
 * Creates the two lookups that an authenticated request may need, on connections that aren't reserved for lookups.
 */
export const createTokenReads = (db: PostgresDatabase) => {
  const find = async <Row extends unknown[]>(text: string, digest: string): Promise<Row | undefined> => {
    const values = [Buffer.from(digest, 'hex')]
    const { rows } = await asQuery(db.$client.query<Row>({ text, values, rowMode: 'array' }))
    return rows[0]
  }
  return {
    findToken: async (digest: string): Promise<KnownToken | null> => {
      const row = await find<KnownTokenRow>(FIND_TOKEN, digest)
      return row === undefined ? null : toKnownToken(digest, row)
    },
    findRevocation: async (digest: string): Promise<Date | null> => {
      const row = await find<RevocationRow>(FIND_REVOCATION, digest)
      return row === undefined ? null : toDate(row[0])
    }
  }
}
