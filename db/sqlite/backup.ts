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
 * Copies the database at `path`, which others may read and write meanwhile, as it is at the call, to a new file that
 * only its owner may read, in a folder that is made where there is none. The copy is checked before it gets its name.
 * Throws a BackupError, and leaves no file behind.
 */
export const backUpSqlite = async (path: string, target: string, onPages: OnPages): Promise<Contents> => {
  if (!existsSync(path)) throw new BackupError(`There is no database ${path}, so there is nothing to back up.`)
  if (existsSync(target)) throw new BackupError(`${target} exists already, and is left as it is.`, 'Name a new file.')
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

/** Throws a BackupError where a copy is damaged or does not hold what it should. */
export const checkCopy = (path: string, expected: Contents): void => {
  const copy = new Database(path, { fileMustExist: true })
  try {
    // One file without companions, which may lie where nobody can write.
    copy.pragma('journal_mode = DELETE')
    const problems = copy.pragma('integrity_check', { simple: true })
    if (problems !== 'ok') throw new BackupError(`The copy is damaged, as the database may be: ${String(problems)}`)
    if (!isDeepStrictEqual(contentsOf(copy), expected)) {
      throw new BackupError('The copy does not hold what the database held; no backup was made. Try again.')
    }
  } finally {
    copy.close()
  }
}

const copy = async (path: string, target: string, onPages: OnPages): Promise<Contents> => {
  const { connection: source, close } = openToRead(path)
  try {
    // All is read in one transaction, so that the copy is of one moment, and what others write does not begin it anew.
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

// The new name must survive a power cut as the contents do.
const syncFolder = (folder: string): void => {
  const descriptor = openSync(folder, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
