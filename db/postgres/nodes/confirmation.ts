import type { ConfirmationStore } from '../../../domain/keys/freshness/confirmation.ts'
import { query } from '../database.ts'
import { RowMissing } from '../../row-missing.ts'
import type { PostgresDatabase } from '../database.ts'

const PENDING = `
  select count(nodes.id) as nodes, count(nodes.id) filter (where acked >= $1) as acknowledged,
    coalesce(max(lease_ms) filter (where acked < $1), 0) as lease_ms
  from client_key_changes left join nodes on true
  where epoch = $1 and nonce = $2
  group by epoch
`
const EVICT = 'update nodes set evicted_at = $2 where acked < $1 and evicted_at is null and lease_ms > 0'

/** Makes PostgreSQL's part of receipts. */
export const createConfirmationStore = (db: PostgresDatabase): ConfirmationStore => ({
  pending: async ({ epoch, nonce }) => {
    const [row] = (await query(db, PENDING, [epoch, nonce])).rows
    if (row === undefined) throw new RowMissing('the change is not in the database any more')
    return { nodes: Number(row['nodes']), acknowledged: Number(row['acknowledged']), leaseMs: Number(row['lease_ms']) }
  },
  evict: async epoch => {
    await query(db, EVICT, [epoch, new Date().toISOString()])
  }
})
