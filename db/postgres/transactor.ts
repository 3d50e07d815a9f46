import type { Pool, PoolClient } from 'pg'
import type { TransactorOf } from '../../domain/transaction.ts'
import { busyDeadline, refuseCancelled, withBusyRetry } from '../transactor.ts'
import { cancelQuery } from './cancel.ts'
import { createDatabase } from './database.ts'
import { asQuery, isConflict, isUnavailable, toFailure, toUnknownOutcome } from './failures.ts'
import { BEGIN } from './settings.ts'
import { CommitLost, createOutbox, inTransaction } from './transaction.ts'
import type { Outbox, OwnOutbox } from './transaction.ts'

/** The maximum number of retries after conflicts with other transactions. */
const MAX_CONFLICTS = 10

/** A query is cancelled only after this time, because cancelling costs a connection, and most queries finish sooner. */
const CANCEL_AFTER_MS = 100

/** The pool of a transactor, and the rows that it provides inside and outside of transactions. */
export interface PostgresTransactorOptions<R, W> {
  readonly pool: Pool
  /** Creates the rows that read committed data, on the pool's connections or on one of them. */
  readonly createReads: (client: Pool | PoolClient) => R
  /** Creates the rows of a transaction. */
  readonly createTx: (client: PoolClient, outbox: Outbox) => W
}

/** Runs work on the rows of its own connection. If the signal is aborted, the running query is cancelled. */
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

/** The rows for the transactions on a connection, which runs one transaction at a time. */
interface Session<W> {
  readonly tx: W
  readonly outbox: OwnOutbox
}

const createSessions = <W>(createTx: PostgresTransactorOptions<unknown, W>['createTx']) => {
  const created = new WeakMap<PoolClient, Session<W>>()
  return (client: PoolClient): Session<W> => {
    const known = created.get(client)
    if (known !== undefined) return known
    const outbox = createOutbox(createDatabase(client))
    const session = { tx: createTx(client, outbox), outbox }
    created.set(client, session)
    return session
  }
}

/** Reads committed data. Retries for up to a second while the database is unavailable. */
export const readPatiently = async <T>(read: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  try {
    return await withBusyRetry(read, error => signal?.aborted !== true && isUnavailable(error))
  } catch (error) {
    // A cancelled query fails as if the database were unavailable.
    refuseCancelled(signal)
    throw toFailure(error)
  }
}

/** Creates a database's transactor. Transactions run concurrently, each on its own connection. */
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
      const client = await asQuery(pool.connect())
      const { tx, outbox } = open(client)
      return await inTransaction(client, { begin, outbox, work: async () => await work(tx) })
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
