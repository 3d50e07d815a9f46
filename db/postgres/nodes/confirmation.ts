import type { ConfirmationStore, SilentNode } from '../../../domain/keys/freshness/confirmation.ts'
import type { QueryResultRow } from 'pg'
import type { Eviction } from '../../../domain/keys/freshness/evictions.ts'
import { query } from '../database.ts'
import { RowMissing } from '../../row-missing.ts'
import type { PostgresDatabase } from '../database.ts'
import type { DirectConnection } from '../direct.ts'
import { DATABASE_TIMESTAMP } from '../time.ts'

const PENDING = `
  select count(nodes.id)::float8, count(nodes.id) filter (where acked >= $1)::float8,
    coalesce(
      json_agg(json_build_object('id', nodes.id, 'leaseMs', lease_ms, 'evictedAt', evicted_at))
        filter (where acked < $1 and lease_ms > 0), '[]'
    )
  from client_key_changes left join nodes on true
  where epoch = $1 and nonce = $2
  group by epoch
`
type PendingRow = [nodes: number, acknowledged: number, silent: SilentNode[]]

const EVICT = `
  update nodes set evicted_at = ${DATABASE_TIMESTAMP}
  where acked < $1 and evicted_at is null and lease_ms > 0 returning id, evicted_at
`

/** Converts a row of `nodes` to an eviction. */
export const toEviction = (row: QueryResultRow): Eviction => ({
  id: String(row['id']),
  evictedAt: String(row['evicted_at'])
})

/** Creates the PostgreSQL store for receipts. It reads on the lease's connection. `db` may wait for a lock. */
export const createConfirmationStore = (
  { query: read }: Pick<DirectConnection, 'query'>,
  db: PostgresDatabase
): ConfirmationStore => ({
  pending: async ({ epoch, nonce }) => {
    const [row] = await read<PendingRow>({ name: 'pending', text: PENDING, values: [epoch, nonce] })
    if (row === undefined) throw new RowMissing('the change is no longer in the database')
    const [nodes, acknowledged, silent] = row
    return { nodes, acknowledged, silent }
  },

  evict: async epoch => (await query(db, EVICT, [epoch])).rows.map(toEviction)
})
