import type { Pool, PoolClient } from 'pg'
import type { TransactorOf } from '../../domain/transaction.ts'
import { busyDeadline, refuseCancelled, withBusyRetry } from '../transactor.ts'
import { cancelQuery } from './cancel.ts'
import { asQuery, isConflict, isConnectionFailure, isUnavailable, toFailure, toUnknownOutcome } from './failures.ts'
import { BEGIN } from './settings.ts'

/** How often work is done once more after another transaction got in its way. */
const MAX_CONFLICTS = 10

/** What is nearly done when nobody waits for it any more is not worth a connection, which cancelling costs. */
const CANCEL_AFTER_MS = 100

/** What a pool gives in and out of transactions. */
export interface PostgresTransactorOptions<R, W> {
  readonly pool: Pool
  /** Makes the rows that read what is committed, by the connections of the pool or by one of them. */
  readonly createReads: (client: Pool | PoolClient) => R
  /** Makes the rows of transactions of a connection; see `LeaveUnanswered`. */
  readonly createTx: (client: PoolClient, leaveUnanswered: LeaveUnanswered) => W
}

/**
 * Lets a transaction go on to its next statement, or to its commit, before a statement was answered that nothing
 * depends on. If the statement fails, so does the transaction, with the same failure.
 */
export type LeaveUnanswered = (statement: Promise<unknown>) => void

/** The rows of the transactions of a connection, and what the current one has sent without waiting for the answer. */
interface Session<W> {
  readonly tx: W
  readonly unanswered: Promise<unknown>[]
}

/** A failure of `commit` that leaves open whether it was done. */
class CommitLost extends Error {}

const commit = async (client: PoolClient): Promise<void> => {
  try {
    const { command } = await asQuery(client.query('commit'))
    // The server answers this only where no statement has failed, those included whose answer nobody waited for.
    if (command !== 'COMMIT') throw new Error('the transaction went on after a statement had failed')
  } catch (cause) {
    throw isConnectionFailure(cause) ? new CommitLost('the commit was lost', { cause }) : cause
  }
}

/**
 * Runs work in a transaction of a connection. The locks that `tx` takes hold until its end. A connection on which
 * anything failed is not used again unless the server has rolled back.
 */
const inTransaction = async <W, T>(
  pool: Pool,
  { begin, open, work }: { begin: string; open: (client: PoolClient) => Session<W>; work: (tx: W) => Promise<T> }
): Promise<T> => {
  const client = await asQuery(pool.connect())
  const { tx, unanswered } = open(client)
  try {
    // Sent together with the first statement, and answered before it.
    const begun = asQuery(client.query(begin))
    // Without a transaction the server would commit each statement that comes. `begun` is awaited below.
    begun.catch(() => {
      client.connection.stream.destroy()
    })
    const result = await work(tx)
    await begun
    await commit(client)
    client.release()
    return result
  } catch (error) {
    const failure = await firstFailure(unanswered, error)
    client.release(await rollBack(client, failure))
    throw failure
  }
}

/** What failed first: a statement that was left unanswered makes all that comes after it fail, the commit included. */
const firstFailure = async (unanswered: readonly Promise<unknown>[], last: unknown): Promise<unknown> => {
  // Whatever else has failed, a commit that was lost may have been done.
  if (last instanceof CommitLost) return last
  const failures = (await Promise.allSettled(unanswered)).flatMap(outcome =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : []
  )
  return [...failures, last][0]
}

/** Rolls back after a failure; answers whether the connection is to be given up. */
const rollBack = async (client: PoolClient, error: unknown): Promise<boolean> => {
  if (error instanceof CommitLost || isConnectionFailure(error)) return true
  return await client.query('rollback').then(
    () => false,
    () => true
  )
}

/** Runs work on the rows of a connection of its own, and cancels what that works on when the signal is aborted. */
const readCancellably = async <R, T>(
  pool: Pool,
  createReads: (client: PoolClient) => R,
  { work, signal }: { work: (rows: R) => Promise<T>; signal: AbortSignal }
): Promise<T> => {
  const client = await asQuery(pool.connect())
  let isCancelled = false
  let timer: NodeJS.Timeout | undefined
  const cancel = (): void => {
    timer = setTimeout(() => {
      isCancelled = true
      cancelQuery(client)
    }, CANCEL_AFTER_MS)
  }
  signal.addEventListener('abort', cancel)
  try {
    refuseCancelled(signal)
    return await work(createReads(client))
  } finally {
    signal.removeEventListener('abort', cancel)
    clearTimeout(timer)
    client.release(isCancelled)
  }
}

/** Makes the function that opens the session of a connection for its next transaction. */
const createSessions = <W>(
  createTx: (client: PoolClient, leaveUnanswered: LeaveUnanswered) => W
): ((client: PoolClient) => Session<W>) => {
  const made = new WeakMap<PoolClient, Session<W>>()
  const make = (client: PoolClient): Session<W> => {
    const unanswered: Promise<unknown>[] = []
    const tx = createTx(client, statement => {
      // Against an unhandled rejection: `firstFailure` reads the outcome.
      statement.catch(() => {})
      unanswered.push(statement)
    })
    return { tx, unanswered }
  }
  return client => {
    const session = made.get(client) ?? make(client)
    made.set(client, session)
    session.unanswered.length = 0
    return session
  }
}

/** Reads what is committed, and tries again for a second where the database can not be used. */
export const readPatiently = async <T>(read: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  try {
    return await withBusyRetry(read, error => signal?.aborted !== true && isUnavailable(error))
  } catch (error) {
    // What was cancelled fails as if the database could not be used.
    refuseCancelled(signal)
    throw toFailure(error)
  }
}

/** Makes the transactor of a database: transactions run side by side, each on a connection of its own. */
export const createPostgresTransactor = <R, W>({
  pool,
  createReads,
  createTx
}: PostgresTransactorOptions<R, W>): TransactorOf<R, W> => {
  const open = createSessions(createTx)
  const rows = createReads(pool)

  const runWrite = async <T>(work: (tx: W) => Promise<T>, mayBeLost: boolean, conflicts = 0): Promise<T> => {
    const begin = mayBeLost ? `${BEGIN}; set local synchronous_commit = off` : BEGIN
    try {
      return await inTransaction(pool, { begin, open, work })
    } catch (error) {
      if (!isConflict(error) || conflicts === MAX_CONFLICTS) throw error
      return await runWrite(work, mayBeLost, conflicts + 1)
    }
  }

  return {
    write: async (work, { mayBeLost = false } = {}) => {
      try {
        return await withBusyRetry(async () => await runWrite(work, mayBeLost), isUnavailable, busyDeadline())
      } catch (error) {
        throw error instanceof CommitLost ? toUnknownOutcome(error.cause) : toFailure(error)
      }
    },
    read: async (work, { signal } = {}) =>
      await readPatiently(
        async () =>
          signal === undefined ? await work(rows) : await readCancellably(pool, createReads, { work, signal }),
        signal
      )
  }
}
