import { count } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Connection } from './driver.ts'

/** Drizzle on an open SQLite database. `$client` is the driver's connection. */
export type SqliteDatabase = BetterSQLite3Database & { $client: Connection }

/** Returns the number of rows in the table that match the condition. */
export const countRows = (db: SqliteDatabase, table: SQLiteTable, condition: SQL | undefined): number =>
  Number(db.select({ rows: count() }).from(table).where(condition).get()?.rows)
