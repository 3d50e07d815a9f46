import { and, asc, eq, sql } from 'drizzle-orm'
import type { NodeReads } from '../../../domain/keys/freshness/nodes.ts'
import { toDate, toOptionalDate } from '../../instants.ts'
import type { PostgresDatabase } from '../database.ts'
import { clientKeyChanges, nodes } from '../schema.ts'
import { readPatiently } from '../transactor.ts'

const MAX_NODES = 1000

export const createNodeReads = (db: PostgresDatabase): NodeReads => ({
  nodes: async () => await readPatiently(async () => await findNodes(db)),

  hasChange: async ({ epoch, nonce }) => {
    const found = db
      .select({ epoch: clientKeyChanges.epoch })
      .from(clientKeyChanges)
      .where(and(eq(clientKeyChanges.epoch, epoch), eq(clientKeyChanges.nonce, nonce)))
    return (await readPatiently(async () => await found)).length === 1
  }
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
