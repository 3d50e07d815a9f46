import { count } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Pool, PoolClient, QueryResultRow } from 'pg'
import { asQuery } from './failures.ts'

/** Drizzle on a connection pool, or on a transaction's connection. `$client` is that pool or connection. */
export type PostgresDatabase = NodePgDatabase & { $client: Pool | PoolClient }

export const createDatabase = (client: Pool | PoolClient): PostgresDatabase => drizzle(client)

/** Returns the number of rows in the table that match the condition. */
export const countRows = async (db: PostgresDatabase, table: PgTable, condition: SQL | undefined): Promise<number> =>
  Number((await db.select({ rows: count() }).from(table).where(condition))[0]?.rows)

/** Runs a statement without Drizzle. 64-bit values are returned as strings. */
export const query = async (
  db: PostgresDatabase,
  text: string,
  values: readonly unknown[] = []
): Promise<{ rows: QueryResultRow[]; rowCount: number }> => {
  const { rows, rowCount } = await asQuery(db.$client.query<QueryResultRow>(text, [...values]))
  return { rows, rowCount: rowCount ?? 0 }
}

/** Sends a Drizzle statement immediately, as `query` does. */
export const send = async (db: PostgresDatabase, statement: { toSQL: () => { sql: string; params: unknown[] } }) => {
  const { sql: text, params } = statement.toSQL()
  return await query(db, text, params)
}

/** Returns the rows of a Drizzle statement in the driver's format. 64-bit values are strings. */
export const rowsOf = async <Row>(db: PostgresDatabase, statement: SQL): Promise<Row[]> =>
  (await db.execute(statement)).rows as Row[]

/** The numbers of the locks that transactions take; see `lock`. */
export const LOCKS = {
  migrations: 1,
  keyChanges: 2,
  userIds: 3,
  organizationIds: 4,
  sample: 5,
  usageDays: 6,
  usageLabels: 7,
  copy: 8,
  audits: 9
} as const

/** The first number of each lock. It distinguishes them from other programs' locks in the same database. */
export const LOCK_SPACE = 7_216_014

/** Takes a lock until the transaction ends. Waits while another transaction holds it. */
export const lock = async (db: PostgresDatabase, name: keyof typeof LOCKS): Promise<void> => {
  await query(db, `select pg_advisory_xact_lock(${LOCK_SPACE}, ${LOCKS[name]})`)
}
