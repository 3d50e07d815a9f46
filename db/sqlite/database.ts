import type { Database } from 'better-sqlite3'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'

/** Drizzle over an open SQLite database; `$client` is the driver beneath it. */
export type SqliteDatabase = BetterSQLite3Database & { $client: Database }
