import { ServiceUnavailable } from '../../domain/errors.ts'
import type { WriteOptions } from '../../domain/transaction.ts'
import type { Transactor } from '../../domain/transactor.ts'
import { busyDeadline, createQueue, refuseCancelled, withBusyRetry } from '../transactor.ts'
import { RowMissing } from '../row-missing.ts'
import { Database } from './driver.ts'
import type { Connection } from './driver.ts'

/** The failures of the statement itself: its values or a constraint. */
const FAULTS = /^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG|MISUSE)/

const isBusy = (error: unknown): boolean =>
  error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')

/**
 * Converts a database failure to a `ServiceUnavailable`, unless the statement is wrong. The database is unavailable if
 * another process has locked it, its disk is full, it's damaged, or it's being replaced. Returns any other failure
 * unchanged.
 */
export const toFailure = (error: unknown): unknown =>
  error instanceof RowMissing || (error instanceof Database.SqliteError && !FAULTS.test(error.code))
    ? new ServiceUnavailable({ cause: error })
    : error

/** Runs a synchronous read. Throws a `ServiceUnavailable` as the transactor does, but doesn't retry. */
export const readNow = <T>(query: () => T): T => {
  try {
    return query()
  } catch (error) {
    throw toFailure(error)
  }
}

/**
 * Runs the given work in a transaction on a connection that nothing else uses in the meantime. SQLite is synchronous,
 * so the work completes in the same turn of the event loop, unless it may yield. Other work that takes longer has
 * awaited something else while it held the lock, and fails.
 */
const inTransaction = async <T>(connection: Connection, work: () => Promise<T>, mayYield: boolean): Promise<T> => {
  connection.exec('begin immediate')
  let turns = 0
  const turn = setImmediate(() => {
    turns++
  })
  try {
    const result = await work()
    if (turns > 0 && !mayYield) throw new Error('a transaction awaited something other than its rows')
    connection.exec('commit')
    return result
  } finally {
    clearImmediate(turn)
    if (connection.inTransaction) connection.exec('rollback')
  }
}

/** A transactor's connection, and the rows that it provides inside and outside of transactions. */
export interface SqliteTransactorOptions<R, W> {
  /** The connection for all writes. It runs one transaction after another. */
  readonly writing: Connection
  readonly rows: R
  readonly tx: W
}

/**
 * Creates a database's transactor. One connection writes, in transactions that begin and end explicitly, and
 * `rows` reads committed data on another. Drizzle's own transactions commit before asynchronous work is completed.
 */
export const createSqliteTransactor = <R, W>({
  writing,
  rows,
  tx
}: SqliteTransactorOptions<R, W>): Transactor<R, W> => {
  const enqueue = createQueue()

  const runWrite = async <T>(
    work: (tx: W) => Promise<T>,
    { mayBeLost = false, isBulk = false }: WriteOptions
  ): Promise<T> => {
    const run = async (): Promise<T> => await inTransaction(writing, async () => await work(tx), isBulk)
    if (!mayBeLost) return await run()
    writing.pragma('synchronous = NORMAL')
    try {
      return await run()
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
    write: async (work, options = {}) => {
      // Set before the work is queued, so that the waits of queued work don't add up while the database is locked.
      const deadline = busyDeadline()
      return await failing(
        enqueue(async () => await withBusyRetry(async () => await runWrite(work, options), isBusy, deadline))
      )
    },
    // SQLite is synchronous, so only work that hasn't begun can be cancelled.
    read: async (work, { signal } = {}) => {
      refuseCancelled(signal)
      return await failing(withBusyRetry(async () => await work(rows), isBusy))
    }
  }
}
