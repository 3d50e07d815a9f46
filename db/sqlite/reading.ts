import { existsSync, realpathSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { bringUpToDate, schemaOf } from './connections.ts'
import type { Connections } from './connections.ts'
import { Database } from './driver.ts'
import type { Connection } from './driver.ts'
import { hasMark } from './marks.ts'

/** A connection that changes nothing, neither the database file nor the files next to it. */
export interface Reading {
  readonly connection: Connection
  /** Throws an error if another process has changed the file in the meantime, because the data may be wrong. */
  readonly close: () => void
}

/** Opens an existing database file of any version for reading. It may be in use, or in a folder that isn't writable. */
export const openToRead = (path: string): Reading => {
  const file = realpathSync(path)
  return isWhole(file) ? openWhole(file) : openWithLog(file)
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** Returns whether the database consists of one file: no process has it open, and none has left changes elsewhere. */
const isWhole = (file: string): boolean =>
  sizeOf(`${file}-wal`) === 0 &&
  sizeOf(`${file}-journal`) === 0 &&
  !(existsSync(`${file}-wal`) && existsSync(`${file}-shm`))

// SQLite creates files next to a database even to read it, unless the URI declares that the file doesn't change.
const openWhole = (file: string): Reading => {
  const before = stateOf(file)
  const connection = new Database(`${pathToFileURL(file).href}?immutable=1`, { readonly: true })
  return {
    connection,
    close: () => {
      connection.close()
      if (stateOf(file) === before) return
      throw new Error(
        'the database changed while it was being read, so the result may be wrong. Run the command again.'
      )
    }
  }
}

const stateOf = (file: string): string => {
  const { ino, size, mtimeNs } = statSync(file, { bigint: true })
  return [ino, size, mtimeNs].join()
}

const openWithLog = (file: string): Reading => {
  const connection = new Database(file, { readonly: true })
  try {
    connection.prepare('select 1 from sqlite_schema').get()
  } catch (error) {
    connection.close()
    if ((error as { code?: string }).code !== 'SQLITE_CANTOPEN') throw error
    throw new Error(
      `the last changes are in ${file}-wal, which can't be read without ${file}-shm, which can't be created there. ` +
        'Copy the database and the files next to it to a writable folder.'
    )
  }
  return { connection, close: () => connection.close() }
}

const REFUSALS = {
  none: 'it was not created by this program.',
  older:
    'its tables are from an older version of the program. Run npm run db:migrate. If the database must not change, ' +
    'migrate a copy.',
  newer: 'a newer version of the program has changed its tables. Read it with that version.'
} as const

/**
 * Opens a database file for a process that only reads it. Both connections are the same. A file that doesn't exist is
 * treated as an empty database. Throws an error if the tables are from another version.
 */
export const connectToRead = (path: string): Connections => {
  if (!existsSync(path)) return connectToNothing()
  const { connection, close } = openToRead(path)
  try {
    const schema = schemaOf(connection)
    if (schema !== 'current') throw new Error(REFUSALS[schema])
    const db = drizzle(connection)
    return { writing: db, reading: db, isSample: hasMark(connection, 'sample'), close }
  } catch (error) {
    connection.close()
    throw error
  }
}

const connectToNothing = (): Connections => {
  const connection = new Database(':memory:')
  const db = drizzle(connection)
  bringUpToDate(db)
  return { writing: db, reading: db, isSample: false, close: () => connection.close() }
}
