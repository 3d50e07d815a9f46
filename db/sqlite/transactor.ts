import { ServiceUnavailable } from '../../domain/errors.ts'
import type { Transactor } from '../../domain/transactor.ts'
import { busyDeadline, createQueue, refuseCancelled, withBusyRetry } from '../transactor.ts'
import { RowMissing } from '../row-missing.ts'
import { Database } from './driver.ts'
import type { Connection } from './driver.ts'

/** The statement itself is at fault: its values, or a constraint. */
const FAULTS = /^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG|MISUSE)/

const isBusy = (error: unknown): boolean =>
  error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')

/**
 * A `ServiceUnavailable` for a failure of the database, unless the statement is at fault: another process has it, its
 * disk is full, it is damaged, or is being replaced. Any other failure as it is.
 */
export const toFailure = (error: unknown): unknown =>
  error instanceof RowMissing || (error instanceof Database.SqliteError && !FAULTS.test(error.code))
    ? new ServiceUnavailable({ cause: error })
    : error

/** A read that answers at once. Throws a `ServiceUnavailable` as the transactor does, and tries nothing again. */
export const readNow = <T>(query: () => T): T => {
  try {
    return query()
  } catch (error) {
    throw toFailure(error)
  }
}

/**
 * Runs work in a transaction of a connection, which nothing else uses meanwhile. SQLite answers at once, so the work is
 * over before the event loop turns; work that is not has awaited something else, and held the lock over it.
 */
const inTransaction = async <T>(connection: Connection, work: () => Promise<T>): Promise<T> => {
  connection.exec('begin immediate')
  let turns = 0
  const turn = setImmediate(() => {
    turns++
  })
  try {
    const result = await work()
    if (turns > 0) throw new Error('a transaction awaited something else than its rows')
    connection.exec('commit')
    return result
  } finally {
    clearImmediate(turn)
    if (connection.inTransaction) connection.exec('rollback')
  }
}

/** What a connection gives in and out of transactions. */
export interface SqliteTransactorOptions<R, W> {
  /** Where everything is written, by one transaction after another. */
  readonly writing: Connection
  readonly rows: R
  readonly tx: W
}

/**
 * Makes the transactor of a database: one connection writes, in transactions that begin and end by hand, and `rows`
 * reads what is committed through another. Drizzle's own transactions commit before asynchronous work is done.
 */
export const createSqliteTransactor = <R, W>({
  writing,
  rows,
  tx
}: SqliteTransactorOptions<R, W>): Transactor<R, W> => {
  const enqueue = createQueue()

  const runWrite = async <T>(work: (tx: W) => Promise<T>, mayBeLost: boolean): Promise<T> => {
    if (!mayBeLost) return await inTransaction(writing, async () => await work(tx))
    writing.pragma('synchronous = NORMAL')
    try {
      return await inTransaction(writing, async () => await work(tx))
    } finally {
      writing.pragma('synchronous = FULL')
    }
  }

  const failing = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw toFailure(error)
    }
  }

  return {
    write: async (work, { mayBeLost = false } = {}) => {
      // From here on, so that those who wait in the queue of a database that is held do not wait for each other.
      const deadline = busyDeadline()
      return await failing(
        enqueue(async () => await withBusyRetry(async () => await runWrite(work, mayBeLost), isBusy, deadline))
      )
    },
    // SQLite answers at once, so there is nothing to cancel but what has not begun.
    read: async (work, { signal } = {}) => {
      refuseCancelled(signal)
      return await failing(withBusyRetry(async () => await work(rows), isBusy))
    }
  }
}
