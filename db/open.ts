import { existsSync } from 'node:fs'
import { ConfigError } from '../config/read.ts'
import { backUpSqlite } from './sqlite/backup.ts'
import type { Contents, OnProgress } from './sqlite/backup.ts'
import { openSqlite } from './sqlite/open.ts'
import type { Storage } from './storage.ts'
import { sqlitePathOf } from './url.ts'

/**
 * Opens the database of a `DATABASE_URL` (`file:` and a path, relative to the working directory), makes it where there
 * is none, and brings its tables up to date. Throws a ConfigError where that can't be done.
 */
export const openStorage = async (url: string): Promise<Storage> => {
  const path = sqlitePathOf(url)
  try {
    return openSqlite(path)
  } catch (error) {
    throw new ConfigError(`DATABASE_URL: the database ${path} can't be opened: ${(error as Error).message}`)
  }
}

/** Whether there is a database at a `DATABASE_URL`; one that is there may still be no database of this program. */
export const databaseExists = (url: string): boolean => existsSync(sqlitePathOf(url))

/**
 * Copies the database of a `DATABASE_URL`, which may be in use, to a new file, and checks the copy. It migrates
 * nothing. Throws a BackupError.
 */
export const backUp = async (url: string, file: string, onProgress: OnProgress): Promise<Contents> =>
  await backUpSqlite(sqlitePathOf(url), file, onProgress)
