import { closeSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { pathOf } from '../../paths.ts'
import type { StorageOptions } from '../engine.ts'
import type { SqliteDatabase } from './database.ts'
import { Database } from './driver.ts'
import type { Connection } from './driver.ts'
import { makeFolder } from './folders.ts'
import { hasMark, markAsSample, refuseCopied, refuseUnmarked } from './marks.ts'

/** How long startup waits while another process writes. Later, the transactor waits without blocking the event loop. */
const START_TIMEOUT_MS = 5000
const MAX_MIGRATION_ATTEMPTS = 5
const MIGRATIONS = pathOf('db/sqlite/migrations')

/** A process's connections to its database. */
export interface Connections {
  /** The connection for all writes. */
  readonly writing: SqliteDatabase
  /** The connection that reads committed data. */
  readonly reading: SqliteDatabase
  /** Whether the database is marked as sample data. Only a new database can be marked. */
  readonly isSample: boolean
  readonly close: () => void
}

/**
 * Opens a database file, creates it if it doesn't exist, and brings its tables up to date. With `asSample`, a new
 * database is marked as sample data, and a database that has tables but no such mark is rejected. Without
 * `allowCopied`, a database that has been copied to another one is rejected too.
 */
export const connect = (
  path: string,
  { asSample = false, allowCopied = false }: Pick<StorageOptions, 'asSample' | 'allowCopied'> = {}
): Connections => {
  makeFile(path)
  const opened: Connection[] = []
  const close = (): void => {
    for (const connection of opened) connection.close()
  }
  try {
    const writing = open(path, opened)
    refuseNewerSchema(writing)
    if (!allowCopied) refuseCopied(writing)
    if (asSample) refuseUnmarked(writing)
    // Must precede the first write. SQLite rejects it immediately if another process is writing in another mode.
    writing.pragma('journal_mode = WAL')
    if (asSample) markAsSample(writing)
    // Acknowledged changes must survive a power failure. In WAL mode, only FULL guarantees that.
    writing.pragma('synchronous = FULL')
    writing.pragma('foreign_keys = ON')
    const db = drizzle(writing)
    bringUpToDate(db)
    const reading = open(path, opened)
    reading.pragma('query_only = ON')
    for (const connection of opened) connection.pragma('busy_timeout = 0')
    return { writing: db, reading: drizzle(reading), isSample: hasMark(reading, 'sample'), close }
  } catch (error) {
    close()
    throw error
  }
}

const open = (path: string, opened: Connection[]): Connection => {
  const connection = new Database(path, { timeout: START_TIMEOUT_MS })
  opened.push(connection)
  return connection
}

// Only the owner may read the file. SQLite gives the files next to it the same mode. An existing file keeps its mode.
const makeFile = (path: string): void => {
  makeFolder(dirname(path))
  closeSync(openSync(path, 'a', 0o600))
}

/** Returns an id that distinguishes the file from one that replaces it, or undefined if the file doesn't exist. */
export const fileIdOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/** Compares the database's tables with those of this version. Returns 'none' if they don't belong to this program. */
export const schemaOf = (connection: Connection): 'none' | 'older' | 'current' | 'newer' => {
  if (connection.prepare("select 1 from sqlite_schema where name = '__drizzle_migrations'").get() === undefined) {
    return 'none'
  }
  const recorded = connection
    .prepare<[], number | null>('select max(created_at) from __drizzle_migrations')
    .pluck()
    .get()
  const known = readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ folderMillis }) => folderMillis)
  const difference = Number(recorded) - Math.max(...known)
  if (difference === 0) return 'current'
  return difference > 0 ? 'newer' : 'older'
}

// The migrator looks only for missing migrations. An older program would later fail on newer tables, or write data that
// the newer one can't read.
const refuseNewerSchema = (connection: Connection): void => {
  if (schemaOf(connection) === 'newer') {
    throw new Error(
      'a newer version of the program has changed its tables. Start that version, or restore an older ' +
        'backup. Nothing was changed.'
    )
  }
}

// Drizzle looks for missing migrations before it takes the lock. If two processes start at once, the slower one fails,
// because the tables exist by then. Each attempt is one transaction, and the next one finds nothing to do.
export const bringUpToDate = (db: SqliteDatabase, attempts = MAX_MIGRATION_ATTEMPTS): void => {
  try {
    migrate(db, { migrationsFolder: MIGRATIONS })
  } catch (error) {
    if (attempts === 1) throw error
    bringUpToDate(db, attempts - 1)
  }
}
