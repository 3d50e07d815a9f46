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

/** How long the start waits for another process that writes. Later the transactor waits, and the event loop goes on. */
const START_TIMEOUT_MS = 5000
const MAX_MIGRATION_ATTEMPTS = 5
const MIGRATIONS = pathOf('db/sqlite/migrations')

/** The connections of a process to its database. */
export interface Connections {
  /** Where everything is written. */
  readonly writing: SqliteDatabase
  /** Where what is committed is read. */
  readonly reading: SqliteDatabase
  /** Whether the database is marked as sample data, which it is from its beginning or never. */
  readonly isSample: boolean
  readonly close: () => void
}

/**
 * Opens a database file, makes it where there is none, and brings its tables up to date. With `asSample` a new database
 * is marked as sample data, and one that has tables without that mark is refused. Without `allowCopied`, so is one that
 * was copied to another database.
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
    // Before the first write: while one is under way in another mode, SQLite refuses this at once.
    writing.pragma('journal_mode = WAL')
    if (asSample) markAsSample(writing)
    // What was acknowledged must survive a power cut, and WAL alone promises that only with FULL.
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

// For its owner only; SQLite gives the files beside it the same mode. What is there already keeps its own.
const makeFile = (path: string): void => {
  makeFolder(dirname(path))
  closeSync(openSync(path, 'a', 0o600))
}

/** What tells a file from one that has taken its place; undefined where there is none. */
export const fileIdOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/** How the tables of a database are to those of this version; none: they are not of this program. */
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

// The migrator looks only for migrations that are missing. An older program on newer tables would fail later, or write
// what the newer one can't read.
const refuseNewerSchema = (connection: Connection): void => {
  if (schemaOf(connection) === 'newer') {
    throw new Error(
      'a newer version of the program has changed its tables. Start that version, or restore a backup from ' +
        'before. Nothing was changed.'
    )
  }
}

// Drizzle looks which migrations are missing before it takes the lock, so of two processes that start at once the
// slower fails on tables that are there by then. Each try is one transaction; the next finds nothing left to do.
export const bringUpToDate = (db: SqliteDatabase, attempts = MAX_MIGRATION_ATTEMPTS): void => {
  try {
    migrate(db, { migrationsFolder: MIGRATIONS })
  } catch (error) {
    if (attempts === 1) throw error
    bringUpToDate(db, attempts - 1)
  }
}
