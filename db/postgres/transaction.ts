import type { PoolClient } from 'pg'
import type { PostgresDatabase } from './database.ts'
import { asQuery, isConnectionFailure } from './failures.ts'

/**
 * The stages of the statements that a transaction sends at its end. First it locks the rows that it writes. Then it
 * takes the lock of all changes of keys and writes, and last it appends to the audit trail. So whoever waits for a row
 * holds up nobody who does not need it. The use of keys comes after everything that may wait: changes need these rows.
 */
const STAGES = ['beforeLock', 'lock', 'change', 'write', 'audit', 'use', 'beforeCommit'] as const
export type Stage = (typeof STAGES)[number]

/** Sends a statement over a connection. */
export type Send = (db: PostgresDatabase) => Promise<unknown>

/** What a transaction sends without waiting for a reply. If such a statement fails, so does the transaction. */
export interface Outbox {
  /** Lets the transaction go on before a statement has its reply. */
  readonly leaveUnanswered: (statement: Promise<unknown>) => void
  /** Sends a statement at the end of the transaction, together with its commit. */
  readonly defer: (stage: Stage, send: Send) => void
}

/** An outbox, as the transaction sees it that it belongs to. */
export interface OwnOutbox extends Outbox {
  /** Forgets what an earlier transaction has sent. */
  readonly clear: () => void
  /** What was deferred to a stage. */
  readonly deferred: (stage: Stage) => readonly Send[]
  /** Sends what was deferred. */
  readonly flush: () => void
  /** The failures of all statements that were sent, in their order. */
  readonly failures: () => Promise<unknown[]>
}

/** Creates the outbox of the transactions of a connection. */
export const createOutbox = (db: PostgresDatabase): OwnOutbox => {
  const unanswered: Promise<unknown>[] = []
  const stages: Record<Stage, Send[]> = {
    beforeLock: [],
    lock: [],
    change: [],
    write: [],
    audit: [],
    use: [],
    beforeCommit: []
  }

  const leaveUnanswered: Outbox['leaveUnanswered'] = statement => {
    // Against an unhandled rejection: `failures` reads the outcome.
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

/** A failure of `commit` that leaves open whether it was carried out. */
export class CommitLost extends Error {}

const commit = async (client: PoolClient): Promise<void> => {
  try {
    const { command } = await asQuery(client.query('commit'))
    // The server replies with this only if no statement has failed, those included whose reply nobody waited for.
    if (command !== 'COMMIT') throw new Error('the transaction went on after a statement had failed')
  } catch (cause) {
    throw isConnectionFailure(cause) ? new CommitLost('the commit was lost', { cause }) : cause
  }
}

/** What is done in a transaction. */
export interface Work<T> {
  /** The statements that begin it. */
  readonly begin: string
  readonly outbox: OwnOutbox
  /** Whether `work` reads only, and defers all that it writes: then its reads are sent together with `begin`. */
  readonly readsFirst?: boolean
  readonly work: () => Promise<T>
}

/**
 * Runs work in a transaction of a connection, which is then released. A connection on which anything failed is not used
 * again unless the server has rolled back.
 */
export const inTransaction = async <T>(
  client: PoolClient,
  { begin, outbox, readsFirst = false, work }: Work<T>
): Promise<T> => {
  outbox.clear()
  try {
    const begun = asQuery(client.query(begin))
    // Against an unhandled rejection: `begun` is awaited below.
    begun.catch(() => {})
    // Outside of a transaction, the server would commit each statement by itself.
    if (!readsFirst) await begun
    const result = await work()
    await begun
    outbox.flush()
    // Sent together with what was deferred: a lock that this takes is held for no round trip.
    await commit(client)
    client.release()
    return result
  } catch (error) {
    const failure = await firstFailure(outbox, error)
    client.release(await rollBack(client, failure))
    throw failure
  }
}

/** What failed first: a statement that failed makes all that comes after it fail, the commit included. */
const firstFailure = async (outbox: OwnOutbox, last: unknown): Promise<unknown> => {
  // Whatever else has failed, a commit that was lost may have been carried out.
  if (last instanceof CommitLost) return last
  return [...(await outbox.failures()), last][0]
}

/** Rolls back after a failure; returns whether the connection is to be given up. */
const rollBack = async (client: PoolClient, error: unknown): Promise<boolean> => {
  if (error instanceof CommitLost || isConnectionFailure(error)) return true
  return await client.query('rollback').then(
    () => false,
    () => true
  )
}
