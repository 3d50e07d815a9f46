import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { pathOf } from '../../paths.ts'
import type { Stores } from '../stores.ts'
import { createAppStore } from './app-store.ts'
import { createAuditStore, createAuditWriter } from './audit-store.ts'
import { createClientKeyStore } from './client-key-store.ts'
import type { SqliteDatabase } from './database.ts'
import { Database } from './driver.ts'
import type { Connection } from './driver.ts'
import { createOrganizationStore } from './organization-store.ts'
import { loadSample } from './sample.ts'
import { createUserStore } from './user-store.ts'

/** How long the start waits for another process that writes. Later `attempt` does, without stopping the event loop. */
const START_TIMEOUT_MS = 5000
const MIGRATION_ATTEMPTS = 5
const MIGRATIONS = pathOf('db/sqlite/migrations')

export const openSqlite = (path: string): Stores => {
  makeFile(path)
  const client = new Database(path, { timeout: START_TIMEOUT_MS })
  try {
    refuseNewerSchema(client)
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
      loadSample: async (sample, passwordHash, origin) =>
        await loadSample(db, sample, passwordHash, origin, appendAudit),
      close: () => {
        client.close()
      }
    }
  } catch (error) {
    client.close()
    throw error
  }
}

// For its owner only; SQLite gives the files beside it the same mode. What is there already keeps its own.
const makeFile = (path: string): void => {
  if (path === ':memory:') return
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

// The migrator looks only for migrations that are missing. An older program on newer tables would fail later, or write
// what the newer one can't read.
const refuseNewerSchema = (client: Connection): void => {
  if (client.prepare("select 1 from sqlite_schema where name = '__drizzle_migrations'").get() === undefined) return
  const recorded = client.prepare<[], number | null>('select max(created_at) from __drizzle_migrations').pluck().get()
  const known = readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ folderMillis }) => folderMillis)
  if (Number(recorded) > Math.max(...known)) {
    throw new Error(
      'a newer version of the program has changed its tables. Start that version, or restore a backup from before. Nothing was changed.'
    )
  }
}

// SQLite goes on with a file that was deleted or replaced, and what it writes then is lost.
const fileOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

// Drizzle looks which migrations are missing before it takes the lock, so of two processes that start at once the
// slower fails on tables that are there by then. Each attempt is one transaction; the next look finds nothing left to
// do.
const bringUpToDate = (db: SqliteDatabase, attempts = MIGRATION_ATTEMPTS): void => {
  try {
    migrate(db, { migrationsFolder: MIGRATIONS })
  } catch (error) {
    if (attempts === 1) throw error
    bringUpToDate(db, attempts - 1)
  }
}
