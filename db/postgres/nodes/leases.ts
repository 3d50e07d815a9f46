import type { Change, LeaseStore, Position } from '../../../domain/keys/freshness/lease-store.ts'
import { MAX_ROWS } from '../../../domain/keys/freshness/lease-store.ts'
import type { DirectConnection } from '../direct.ts'

const REGISTER = `
  insert into nodes (id, name, version, started_at, acked, lease_ms, generations)
  select $1, $2, $3, $4, max(epoch), $5, $6 from client_key_changes
`
const READ_HEAD = 'select epoch, nonce from client_key_changes order by epoch desc limit 1'
const RENEW = `
  select epoch, nonce, key_id from client_key_changes
  where epoch >= $2 and exists (select 1 from nodes where id = $1 and evicted_at is null)
  order by epoch limit ${MAX_ROWS}
`
const ACKNOWLEDGE = 'update nodes set acked = $2 where id = $1 and acked < $2'
const DEREGISTER = 'delete from nodes where id = $1'

/** What a node tells of itself. */
export interface NodeDescription {
  readonly name: string
  readonly version: string
  readonly startedAt: Date
  /** Those of its secrets, the current one first. */
  readonly generations?: readonly string[] | undefined
}

/** Makes PostgreSQL's part of leases, on the connection that requests wait for. */
export const createLeaseStore = ({ query }: DirectConnection, node: NodeDescription): LeaseStore => {
  const acknowledge: LeaseStore['acknowledge'] = async (id, epoch) => {
    await query({ name: 'acknowledge', text: ACKNOWLEDGE, values: [id, epoch] })
  }
  return {
    renew: async (id, head) => {
      const rows = await query<[string, string, string]>({ name: 'renew', text: RENEW, values: [id, head.epoch] })
      return rows.map(([epoch, nonce, keyId]): Change => ({ epoch: Number(epoch), nonce, keyId }))
    },
    register: async ({ id, leaseMs }) => {
      const { name, version, startedAt, generations } = node
      const told = generations === undefined ? null : JSON.stringify(generations)
      await query({ text: REGISTER, values: [id, name, version, startedAt.toISOString(), leaseMs, told] })
      // Only now: a change that was committed before and did not wait for this node is seen.
      const [row] = await query<[string, string]>({ text: READ_HEAD })
      if (row === undefined) throw new Error('the history of changes is empty: a row of client_key_changes is missing')
      const head: Position = { epoch: Number(row[0]), nonce: row[1] }
      await acknowledge(id, head.epoch)
      return head
    },
    acknowledge,
    deregister: async id => {
      await query({ text: DEREGISTER, values: [id] })
    }
  }
}
