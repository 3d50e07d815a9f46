import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import type { Stores } from '../stores.ts'
import { createAppStore } from './app-store.ts'
import { createAuditStore, createAuditWriter } from './audit-store.ts'
import { createClientKeyStore } from './client-key-store.ts'
import type { SqliteDatabase } from './database.ts'
import { createOrganizationStore } from './organization-store.ts'
import { loadSample } from './sample.ts'
import { createUserStore } from './user-store.ts'

/** How long the start waits for another process that writes. Later `attempt` does, without stopping the event loop. */
const START_TIMEOUT_MS = 5000
const MIGRATION_ATTEMPTS = 5
const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url))

export const openSqlite = (path: string): Stores => {
  mkdirSync(dirname(path), { recursive: true })
  const client = new Database(path, { timeout: START_TIMEOUT_MS })
  try {
    client.pragma('journal_mode = WAL')
    // What was acknowledged must survive a power cut, and WAL alone promises that only with FULL.
    client.pragma('synchronous = FULL')
    client.pragma('foreign_keys = ON')
    const db = drizzle(client)
    bringUpToDate(db)
    client.pragma('busy_timeout = 0')
    const appendAudit = createAuditWriter(db)
    const ping = client.prepare('select 1 from apps limit 1')
    const file = fileOf(path)

    return {
      apps: createAppStore(db, appendAudit),
      audits: createAuditStore(db),
      clientKeys: createClientKeyStore(db, appendAudit),
      organizations: createOrganizationStore(db, appendAudit),
      users: createUserStore(db, appendAudit),
      ping: async () => {
        ping.get()
        if (fileOf(path) !== file) throw new Error('the database file is not the one that was opened')
      },
      loadSample: async (sample, passwordHash, origin) => await loadSample(db, sample, passwordHash, origin, appendAudit),
      close: () => { client.close() }
    }
  } catch (error) {
    client.close()
    throw error
  }
}

// SQLite goes on with a file that was deleted or replaced, and what it writes then is lost.
const fileOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

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
