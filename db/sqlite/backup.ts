import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BackupError } from '../backup.ts'
import type { Contents, OnPages } from '../backup.ts'
import { Database } from './driver.ts'
import type { Connection } from './driver.ts'
import { makeFolder } from './folders.ts'
import { openToRead } from './reading.ts'

const PAGES_A_STEP = 1000

/**
 * Copies the database at `path` to a new file that only its owner can read. The copy is a snapshot from the time of the
 * call, even if other processes use the database in the meantime. The folder is created if it doesn't exist. The copy
 * is checked before it gets its name. On failure, throws a BackupError and leaves no file behind.
 */
export const backUpSqlite = async (path: string, target: string, onPages: OnPages): Promise<Contents> => {
  if (!existsSync(path)) throw new BackupError(`There is no database ${path}, so there is nothing to back up.`)
  if (existsSync(target)) throw new BackupError(`${target} already exists and was not changed.`, 'Specify a new file.')
  try {
    return await write(path, target, onPages)
  } catch (error) {
    throw error instanceof BackupError ? error : new BackupError(`No backup was made: ${(error as Error).message}`)
  }
}

const write = async (path: string, target: string, onPages: OnPages): Promise<Contents> => {
  const folder = dirname(target)
  const temporary = `${target}.${randomUUID()}.partial`
  makeFolder(folder)
  closeSync(openSync(temporary, 'wx', 0o600))
  try {
    const contents = await copy(path, temporary, onPages)
    checkCopy(temporary, contents)
    renameSync(temporary, target)
    syncFolder(folder)
    return contents
  } catch (error) {
    for (const file of [temporary, `${temporary}-journal`]) rmSync(file, { force: true })
    throw error
  }
}

/** Throws a BackupError if the copy is damaged, or if its contents differ from the expected ones. */
export const checkCopy = (path: string, expected: Contents): void => {
  const copy = new Database(path, { fileMustExist: true })
  try {
    // Keeps the copy in one file, without others next to it, so that it can be read in a folder that isn't writable.
    copy.pragma('journal_mode = DELETE')
    const problems = copy.pragma('integrity_check', { simple: true })
    if (problems !== 'ok') {
      throw new BackupError(`The copy is damaged, and the database may be damaged too: ${String(problems)}`)
    }
    if (!isDeepStrictEqual(contentsOf(copy), expected)) {
      throw new BackupError('The copy differs from the database, so no backup was made. Try again.')
    }
  } finally {
    copy.close()
  }
}

const copy = async (path: string, target: string, onPages: OnPages): Promise<Contents> => {
  const { connection: source, close } = openToRead(path)
  try {
    // Reads everything in one transaction, so that the copy is consistent and doesn't start over when other processes
    // write.
    source.exec('begin')
    const contents = contentsOf(source)
    await source.backup(target, {
      progress: ({ totalPages, remainingPages }) => {
        onPages(totalPages - remainingPages, totalPages)
        return PAGES_A_STEP
      }
    })
    return contents
  } finally {
    close()
  }
}

const contentsOf = (db: Connection): Contents => {
  const tables = db
    .prepare<[], string>("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
    .pluck()
    .all()
  const count = (table: string): number | undefined =>
    db
      .prepare<[], number>(`select count(*) from "${table.replaceAll('"', '""')}"`)
      .pluck()
      .get()
  const rows = Object.fromEntries(tables.map(table => [table, Number(count(table))]))
  return { rows, head: tables.includes('audits') ? headOf(db) : null }
}

const headOf = (db: Connection): string | null =>
  db.prepare<[], string>("select sequence || ':' || hash from audits order by sequence desc limit 1").pluck().get() ??
  null

// The new name must survive a power failure, as the contents do.
const syncFolder = (folder: string): void => {
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
