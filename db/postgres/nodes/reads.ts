import { asc, sql } from 'drizzle-orm'
import type { NodeReads } from '../../../domain/keys/freshness/nodes.ts'
import { toDate, toOptionalDate } from '../../timestamps.ts'
import type { PostgresDatabase } from '../database.ts'
import type { DirectConnection } from '../direct.ts'
import { nodes } from '../schema.ts'
import { readPatiently } from '../transactor.ts'

const MAX_NODES = 1000

const HAS_CHANGE = 'select epoch from client_key_changes where epoch = $1 and nonce = $2'

/** Creates the node reads. Changes are looked up on the lease's connection, which is reserved for that. */
export const createNodeReads = (db: PostgresDatabase, { query }: Pick<DirectConnection, 'query'>): NodeReads => ({
  nodes: async () => await readPatiently(async () => await findNodes(db)),

  hasChange: async ({ epoch, nonce }) =>
    (await readPatiently(async () => await query({ text: HAS_CHANGE, values: [epoch, nonce] }))).length === 1
})

const findNodes = async (db: PostgresDatabase): Promise<Awaited<ReturnType<NodeReads['nodes']>>> => {
  const rows = await db
    .select({ node: nodes, head: sql`(select max(epoch) from client_key_changes)`.mapWith(Number) })
    .from(nodes)
    .orderBy(asc(nodes.startedAt), asc(nodes.id))
    .limit(MAX_NODES)
  return rows.map(({ node: { acked, startedAt, generations, evictedAt, ...node }, head }) => ({
    ...node,
    startedAt: toDate(startedAt),
    generations: JSON.parse(generations ?? '[]') as string[],
    epoch: acked,
    behind: head - acked,
    evictedAt: toOptionalDate(evictedAt)
  }))
}
