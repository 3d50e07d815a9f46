import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import type { Stores } from '../stores.ts'
import { createAppStore } from './app-store.ts'
import { loadSample } from './sample.ts'

/** How long a statement waits for another process that writes. The event loop waits with it, so it is short. */
const BUSY_TIMEOUT_MS = 1000
const MIGRATION_ATTEMPTS = 5
const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url))

export type SqliteDatabase = BetterSQLite3Database & { $client: Database.Database }

export const openSqlite = (path: string): Stores => {
  mkdirSync(dirname(path), { recursive: true })
  const client = new Database(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    client.pragma('journal_mode = WAL')
    // What was acknowledged must survive a power cut, and WAL alone promises that only with FULL.
    client.pragma('synchronous = FULL')
    client.pragma('foreign_keys = ON')
    const db = drizzle(client)
    bringUpToDate(db)
    const ping = client.prepare('select 1')

    return {
      apps: createAppStore(db),
      ping: async () => { ping.get() },
      loadSample: async sample => loadSample(db, sample),
      close: () => { client.close() }
    }
  } catch (error) {
    client.close()
    throw error
  }
}

// Drizzle looks which migrations are missing before it takes the lock, so of two processes that start at once the slower
// fails on tables that are there by then. Each attempt is one transaction; the next look finds nothing left to do.
const bringUpToDate = (db: SqliteDatabase, attempts = MIGRATION_ATTEMPTS): void => {
  try {
    migrate(db, { migrationsFolder: MIGRATIONS })
  } catch (error) {
    if (attempts === 1) throw error
    bringUpToDate(db, attempts - 1)
  }
}
