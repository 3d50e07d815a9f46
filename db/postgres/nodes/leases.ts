import type { Change, LeaseStore, Position } from '../../../domain/keys/freshness/lease-store.ts'
import { MAX_ROWS } from '../../../domain/keys/freshness/lease-store.ts'
import { query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import type { DirectConnection } from '../direct.ts'
import { DATABASE_TIME } from '../time.ts'
import type { DatabaseTime } from '../time.ts'

const REGISTER = `
  insert into nodes (id, name, version, started_at, acked, lease_ms, generations, applies_bulk_changes)
  select $1, $2, $3, $4, max(epoch), $5, $6, true from client_key_changes
`
const READ_HEAD = 'select epoch, nonce from client_key_changes order by epoch desc limit 1'
const RENEW = `
  select epoch, nonce, key_id, ${DATABASE_TIME} from client_key_changes
  where epoch >= $2 and exists (select 1 from nodes where id = $1 and evicted_at is null)
  order by epoch limit ${MAX_ROWS}
`
const ACKNOWLEDGE = 'update nodes set acked = $2 where id = $1 and acked < $2'
const DEREGISTER = 'delete from nodes where id = $1'

type ChangeRow = [epoch: string, nonce: string, keyId: string, time: number]

/** The information that a node reports about itself. */
export interface NodeDescription {
  readonly name: string
  readonly version: string
  readonly startedAt: Date
  /** The generations of its secrets, the current one first. */
  readonly generations?: readonly string[] | undefined
}

export interface LeaseStoreOptions {
  /** The connection that requests wait for. Statements that may wait for a lock aren't sent on it. */
  readonly direct: Pick<DirectConnection, 'query'>
  /** The database for statements that may wait for a lock. */
  readonly db: PostgresDatabase
  readonly time: Pick<DatabaseTime, 'set'>
  readonly node: NodeDescription
}

/** Creates the PostgreSQL store for leases. */
export const createLeaseStore = ({ direct, db, time, node }: LeaseStoreOptions): LeaseStore => {
  const acknowledge: LeaseStore['acknowledge'] = async (id, epoch) => {
    await query(db, ACKNOWLEDGE, [id, epoch])
  }
  return {
    renew: async (id, head) => {
      const values = [id, head.epoch]
      const rows = await time.set(
        async () => await direct.query<ChangeRow>({ name: 'renew', text: RENEW, values }),
        ([row]) => row?.[3]
      )
      return rows.map(([epoch, nonce, keyId]): Change => ({ epoch: Number(epoch), nonce, keyId }))
    },
    register: async ({ id, leaseMs }) => {
      const { name, version, startedAt, generations } = node
      const shown = generations === undefined ? null : JSON.stringify(generations)
      await query(db, REGISTER, [id, name, version, startedAt.toISOString(), leaseMs, shown])
      // Reads the head only now, so that it includes changes that were committed earlier and didn't wait for this node.
      const [row] = (await query(db, READ_HEAD)).rows
      if (row === undefined) throw new Error('the history of changes is empty: the table client_key_changes has no row')
      const head: Position = { epoch: Number(row['epoch']), nonce: String(row['nonce']) }
      await acknowledge(id, head.epoch)
      return head
    },
    acknowledge,
    deregister: async id => {
      await query(db, DEREGISTER, [id])
    }
  }
}
