import type { Pool, PoolClient } from 'pg'
import type { TransactorOf } from '../../domain/transaction.ts'
import { busyDeadline, withBusyRetry } from '../transactor.ts'
import { asQuery, isConflict, isConnectionFailure, toFailure, toUnknownOutcome } from './failures.ts'
import { BEGIN } from './settings.ts'

/** How often work is done once more after another transaction got in its way. */
const MAX_CONFLICTS = 10

/** What a pool gives in and out of transactions. */
export interface PostgresTransactorOptions<R, W> {
  readonly pool: Pool
  /** Reads what is committed. */
  readonly rows: R
  /** Makes the rows of transactions of a connection. */
  readonly createTx: (client: PoolClient) => W
}

/** A failure of `commit` that leaves open whether it was done. */
class CommitLost extends Error {}

const commit = async (client: PoolClient): Promise<void> => {
  try {
    const { command } = await asQuery(client.query('commit'))
    if (command !== 'COMMIT') throw new Error('the transaction went on after a statement had failed')
  } catch (cause) {
    throw isConnectionFailure(cause) ? new CommitLost('the commit was lost', { cause }) : cause
  }
}

/**
 * Runs work in a transaction of a connection. The locks that `tx` takes hold until its end. A connection on which
 * anything failed is not used again unless the server has rolled back.
 */
const inTransaction = async <T>(
  pool: Pool,
  { begin, work }: { begin: string; work: (client: PoolClient) => Promise<T> }
): Promise<T> => {
  const client = await asQuery(pool.connect())
  try {
    // Sent together with the first statement, and answered before it.
    const begun = asQuery(client.query(begin))
    begun.catch(() => {})
    const result = await work(client)
    await begun
    await commit(client)
    client.release()
    return result
  } catch (error) {
    client.release(await rollBack(client, error))
    throw error
  }
}

/** Rolls back after a failure; answers whether the connection is to be given up. */
const rollBack = async (client: PoolClient, error: unknown): Promise<boolean> => {
  if (error instanceof CommitLost || isConnectionFailure(error)) return true
  return await client.query('rollback').then(
    () => false,
    () => true
  )
}

/** Makes the transactor of a database: transactions run side by side, each on a connection of its own. */
export const createPostgresTransactor = <R, W>({
  pool,
  rows,
  createTx
}: PostgresTransactorOptions<R, W>): TransactorOf<R, W> => {
  const made = new WeakMap<PoolClient, W>()
  const txOf = (client: PoolClient): W => {
    const tx = made.get(client) ?? createTx(client)
    made.set(client, tx)
    return tx
  }

  const runWrite = async <T>(work: (tx: W) => Promise<T>, mayBeLost: boolean): Promise<T> => {
    const begin = mayBeLost ? `${BEGIN}; set local synchronous_commit = off` : BEGIN
    for (let conflicts = 0; ; conflicts++) {
      try {
        return await inTransaction(pool, { begin, work: async client => await work(txOf(client)) })
      } catch (error) {
        if (!isConflict(error) || conflicts === MAX_CONFLICTS) throw error
      }
    }
  }

  return {
    write: async (work, { mayBeLost = false } = {}) => {
      try {
        return await withBusyRetry(async () => await runWrite(work, mayBeLost), isConnectionFailure, busyDeadline())
      } catch (error) {
        throw error instanceof CommitLost ? toUnknownOutcome(error.cause) : toFailure(error)
      }
    },
    read: async work => {
      try {
        return await withBusyRetry(async () => await work(rows), isConnectionFailure)
      } catch (error) {
        throw toFailure(error)
      }
    }
  }
}
