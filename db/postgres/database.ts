import { count } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Pool, PoolClient, QueryResultRow } from 'pg'
import { asQuery } from './failures.ts'

/** Drizzle over a pool of connections, or over the connection of a transaction; `$client` is what is beneath it. */
export type PostgresDatabase = NodePgDatabase & { $client: Pool | PoolClient }

export const createDatabase = (client: Pool | PoolClient): PostgresDatabase => drizzle(client)

/** How many rows of a table pass a condition. */
export const countRows = async (db: PostgresDatabase, table: PgTable, condition: SQL | undefined): Promise<number> =>
  Number((await db.select({ rows: count() }).from(table).where(condition))[0]?.rows)

/** Runs a statement without Drizzle; values of 64 bits come as text. */
export const query = async (
  db: PostgresDatabase,
  text: string,
  values: readonly unknown[] = []
): Promise<{ rows: QueryResultRow[]; rowCount: number }> => {
  const { rows, rowCount } = await asQuery(db.$client.query<QueryResultRow>(text, [...values]))
  return { rows, rowCount: rowCount ?? 0 }
}

/** The rows that a statement of Drizzle answers, as the driver gives them: values of 64 bits come as text. */
export const rowsOf = async <Row>(db: PostgresDatabase, statement: SQL): Promise<Row[]> =>
  (await db.execute(statement)).rows as Row[]

/** Locks that transactions take of each other, by their numbers: see `lock`. */
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

/** The first number of each lock, so that other programs on the database have others. */
export const LOCK_SPACE = 7_216_014

/** Waits until no other transaction has a lock, and has it until the end of this one. */
export const lock = async (db: PostgresDatabase, name: keyof typeof LOCKS): Promise<void> => {
  await query(db, `select pg_advisory_xact_lock(${LOCK_SPACE}, ${LOCKS[name]})`)
}
