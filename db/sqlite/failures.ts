import { setTimeout } from 'node:timers/promises'
import { ServiceUnavailable } from '../../domain/errors.ts'
import type { SqliteDatabase } from './database.ts'
import { Database } from './driver.ts'

const PATIENCE_MS = 1000
const RETRY_MS = 20

/** What SQLite reports where the database can't be used now: another process has it, or its disk is full or failing. */
const UNAVAILABLE = /^SQLITE_(BUSY|FULL|READONLY|IOERR|CANTOPEN)/

/**
 * Runs a piece of work on the database, all of it or nothing. Throws `ServiceUnavailable` where the database can't be
 * used. Where another process has it, it tries again for a second; the wait is not SQLite's own, which would stop the
 * event loop and every other request with it.
 */
export const attempt = async <T>(work: () => T, patience = PATIENCE_MS): Promise<T> => {
  try {
    return work()
  } catch (error) {
    if (patience <= 0 || !isBusy(error)) throw asFailure(error)
  }
  await setTimeout(RETRY_MS)
  return await attempt(work, patience - RETRY_MS)
}

/** Makes the function that makes a change: in a transaction that has the database to itself, with `attempt`. */
export const createChange =
  (db: SqliteDatabase) =>
  async <T>(work: () => T): Promise<T> =>
    await attempt(() => db.transaction(work, { behavior: 'immediate' }))

const isBusy = (error: unknown): boolean =>
  error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')

/**
 * Where the database can't be used now, a `ServiceUnavailable`; any other failure as it is. What a change may not do is
 * for the change to find before it writes, in its transaction.
 */
export const asFailure = (error: unknown): unknown =>
  error instanceof Database.SqliteError && UNAVAILABLE.test(error.code)
    ? Object.assign(new ServiceUnavailable(), { cause: error })
    : error
