import type { PoolClient } from 'pg'
import type { PostgresDatabase } from './database.ts'
import { asQuery, isConnectionFailure } from './failures.ts'

/**
 * The stages in which a transaction sends statements at its end. First it locks the rows that it writes, and writes
 * those that may be many. Then it takes the lock for all changes to keys and writes, and finally it appends to the
 * audit trail. A transaction that waits for a row therefore blocks only others that need the row. The usage of keys
 * comes after everything that may wait, because changes need the same rows.
 */
const STAGES = ['beforeLock', 'lock', 'bulk', 'change', 'write', 'audit', 'use', 'beforeCommit'] as const
export type Stage = (typeof STAGES)[number]

/** Sends a statement on a connection. */
export type Send = (db: PostgresDatabase) => Promise<unknown>

/**
 * The statements that a transaction sends without waiting for a response. If one of them fails, the transaction fails.
 */
export interface Outbox {
  /** Lets the transaction continue before the response to a statement arrives. */
  readonly leaveUnanswered: (statement: Promise<unknown>) => void
  /** Sends a statement at the end of the transaction, together with its commit. */
  readonly defer: (stage: Stage, send: Send) => void
}

/** An outbox, with the methods that only its own transaction uses. */
export interface OwnOutbox extends Outbox {
  /** Removes the statements that an earlier transaction sent. */
  readonly clear: () => void
  /** Returns the statements that were deferred to the stage. */
  readonly deferred: (stage: Stage) => readonly Send[]
  /** Sends the deferred statements. */
  readonly flush: () => void
  /** Returns the failures of all statements that were sent, in the order of the statements. */
  readonly failures: () => Promise<unknown[]>
}

/** Creates the outbox for the transactions on a connection. */
export const createOutbox = (db: PostgresDatabase): OwnOutbox => {
  const unanswered: Promise<unknown>[] = []
  const stages: Record<Stage, Send[]> = {
    beforeLock: [],
    lock: [],
    bulk: [],
    change: [],
    write: [],
    audit: [],
    use: [],
    beforeCommit: []
  }

  const leaveUnanswered: Outbox['leaveUnanswered'] = statement => {
    // Prevents an unhandled rejection. `failures` reads the outcome.
    statement.catch(() => {})
    unanswered.push(statement)
  }
  return {
    leaveUnanswered,
    defer: (stage, send) => {
      stages[stage].push(send)
    },
    clear: () => {
      unanswered.length = 0
      for (const stage of STAGES) stages[stage].length = 0
    },
    deferred: stage => [...stages[stage]],
    flush: () => {
      for (const send of STAGES.flatMap(stage => stages[stage])) leaveUnanswered(send(db))
    },
    failures: async () =>
      (await Promise.allSettled(unanswered)).flatMap(outcome =>
        outcome.status === 'rejected' ? [outcome.reason as unknown] : []
      )
  }
}

/** Thrown if it's unknown whether a transaction was committed, because the connection was lost during the commit. */
export class CommitLost extends Error {}

const commit = async (client: PoolClient): Promise<void> => {
  try {
    const { command } = await asQuery(client.query('commit'))
    // The server responds with COMMIT only if no statement has failed, including those that weren't awaited.
    if (command !== 'COMMIT') throw new Error('the transaction continued after a statement had failed')
  } catch (cause) {
    throw isConnectionFailure(cause) ? new CommitLost('the connection was lost during the commit', { cause }) : cause
  }
}

/** The parameters of a transaction. */
export interface Work<T> {
  /** The statements that begin the transaction. */
  readonly begin: string
  readonly outbox: OwnOutbox
  /** Whether `work` only reads and defers all of its writes. If so, its reads are sent together with `begin`. */
  readonly readsFirst?: boolean
  readonly work: () => Promise<T>
}

/**
 * Runs work in a transaction on the connection, and releases the connection. After a failure, the connection is used
 * again only if the server has rolled back.
 */
export const inTransaction = async <T>(
  client: PoolClient,
  { begin, outbox, readsFirst = false, work }: Work<T>
): Promise<T> => {
  outbox.clear()
  try {
    const begun = asQuery(client.query(begin))
    // Prevents an unhandled rejection. `begun` is awaited below.
    begun.catch(() => {})
    // Outside of a transaction, the server would commit each statement separately.
    if (!readsFirst) await begun
    const result = await work()
    await begun
    outbox.flush()
    // Sent together with the deferred statements, so that their locks aren't held during a round trip.
    await commit(client)
    client.release()
    return result
  } catch (error) {
    const failure = await firstFailure(outbox, error)
    client.release(await rollBack(client, failure))
    throw failure
  }
}

/** Returns the first failure. After a statement has failed, all later ones fail too, including the commit. */
const firstFailure = async (outbox: OwnOutbox, last: unknown): Promise<unknown> => {
  // A lost commit may have been carried out, regardless of other failures.
  if (last instanceof CommitLost) return last
  return [...(await outbox.failures()), last][0]
}

/** Rolls back after a failure. Returns whether the connection must be closed. */
const rollBack = async (client: PoolClient, error: unknown): Promise<boolean> => {
  if (error instanceof CommitLost || isConnectionFailure(error)) return true
  return await client.query('rollback').then(
    () => false,
    () => true
  )
}
