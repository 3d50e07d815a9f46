import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import type { Position } from '../../domain/keys/freshness/lease-store.ts'
import { isDomainError } from '../../domain/domain-error.ts'
import type { ServiceStore, ServiceTx } from '../../domain/services/store.ts'
import { createPermits, createSubjectPermits } from '../permits.ts'
import { createDatabase, query } from './database.ts'
import type { PostgresDatabase } from './database.ts'
import {
  asQuery,
  ConnectionLost,
  isConflict,
  isConnectionFailure,
  isLasting,
  toFailure,
  toUnknownOutcome
} from './failures.ts'
import { createReadSet } from './keys/change.ts'
import type { Attempt, KeyChange } from './keys/change.ts'
import { preparing } from './prepared.ts'
import type { ChangeLimits } from './settings.ts'
import { CommitLost, createOutbox, inTransaction } from './transaction.ts'
import type { Outbox, Send } from './transaction.ts'

export interface KeyChangesOptions {
  /** The connections that are reserved for these changes. */
  readonly pool: Pool
  readonly limits: ChangeLimits
  /** Whether changes write before their end. By default, they send all writes together with their commit. */
  readonly writesEarly?: boolean
  /** Creates the rows for an attempt, on its connection. */
  readonly createTx: (db: PostgresDatabase, attempt: Attempt, outbox: Outbox) => ServiceTx
}

/** Runs work in a transaction that changes keys, and retries it if necessary. */
export type ChangeKeys = ServiceStore['write']

/** A change to keys, from its first attempt to its last. */
interface Progress<T> extends KeyChange {
  readonly limits: ChangeLimits
  readonly settle: (position: Position) => void
  /** The time at which the change is abandoned, on the monotonic clock. */
  deadline: number
  /** The number of conflicts with other changes. */
  conflicts: number
  /**
   * The statements with which the previous attempt locked rows. The next attempt begins with them, so that the rows
   * can't change again.
   */
  locks: readonly Send[]
  /** The result of the attempt whose commit was lost, and the server process that may still commit it. */
  lost: { readonly result: T; readonly pid: number } | null
}

const RETRY_INTERVAL_MS = 20
const MAX_CONFLICTS = 10

// Read before anything else, so that the check at the end finds every later change.
const HEAD = `
  select (select max(epoch) from client_key_changes) as epoch,
    (select epoch from client_key_changes where nonce = $1) as committed
`

/**
 * Creates the function that runs transactions that change keys. Each ends within `limits.limitMs`, even if the database
 * is down. A transaction that conflicts with other changes may take longer, because it waits for them. If a commit is
 * lost, the change is looked up by its nonce, and retried if it isn't found.
 */
export const createKeyChanges = (options: KeyChangesOptions): ChangeKeys => {
  const { limits } = options
  const enter = createPermits(limits.atOnce, limits.waitMs)
  const enterFor = createSubjectPermits(limits.waitMs)

  const change = async <T>(work: (tx: ServiceTx) => Promise<T>): Promise<T> => {
    const progress = begin<T>(limits)
    return await repeatedly(progress, async () => await attempt(options, { progress, work }))
  }
  // Changes to the same key wait for each other before they take resources that changes to other keys need.
  return async (work, { subject } = {}) =>
    await enterFor(subject, async () => await enter(async () => await change(work)))
}

const begin = <T>(limits: ChangeLimits): Progress<T> => {
  const waiting: ((position: Position) => void)[] = []
  const position = new Promise<Position>(resolve => {
    waiting.push(resolve)
  })
  const settle = (made: Position): void => {
    for (const resolve of waiting) resolve(made)
  }
  const deadline = newDeadline(limits)
  return { nonce: randomUUID(), position, settle, limits, deadline, conflicts: 0, locks: [], lost: null }
}

const newDeadline = ({ limitMs }: ChangeLimits): number => performance.now() + limitMs

const leftMs = ({ deadline }: Pick<Progress<unknown>, 'deadline'>): number => Math.max(1, deadline - performance.now())

/** Tries again until an attempt succeeds or no more attempts are allowed. */
const repeatedly = async <T>(progress: Progress<T>, make: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await make()
    } catch (error) {
      if (!mayRepeat(error, progress)) throw failureOf(error, progress)
      // Another change was committed, so the database is working.
      if (isConflict(error)) progress.deadline = newDeadline(progress.limits)
      else await wait(RETRY_INTERVAL_MS)
    }
  }
}

const mayRepeat = <T>(error: unknown, progress: Progress<T>): boolean => {
  if (isConflict(error)) return ++progress.conflicts <= MAX_CONFLICTS
  // Without enough time left to commit, another attempt could end with an unknown outcome.
  if (leftMs(progress) <= (progress.lost === null ? progress.limits.attemptMs : RETRY_INTERVAL_MS)) return false
  if (error instanceof CommitLost) return true
  return isConnectionFailure(error) && (progress.lost !== null || !isLasting(error))
}

// Rules are applied only after it's known that the lost attempt wasn't committed, so a rule's error is the outcome.
const failureOf = <T>(error: unknown, { lost }: Progress<T>): unknown =>
  lost !== null && !isDomainError(error) ? toUnknownOutcome(error) : toFailure(error)

interface Make<T> {
  readonly progress: Progress<T>
  readonly work: (tx: ServiceTx) => Promise<T>
}

const attempt = async <T>(
  { pool, createTx, writesEarly = false }: KeyChangesOptions,
  { progress, work }: Make<T>
): Promise<T> => {
  const client = await connectWithin(pool, leftMs(progress))
  const db = createDatabase(preparing(client))
  const outbox = createOutbox(db)
  const own: Attempt = { change: progress, reads: createReadSet(), epoch: 0 }

  const decide = async (): Promise<T> => {
    for (const send of progress.locks) outbox.leaveUnanswered(send(db))
    if (progress.lost !== null) await endBackend(db, progress.lost.pid)
    const head = query(db, HEAD, [progress.nonce]).then(({ rows }) => rows[0])
    outbox.leaveUnanswered(head)
    if (progress.lost !== null) {
      own.epoch = Number((await head)?.['committed'])
      if (own.epoch > 0) return progress.lost.result
    }
    const result = await work(createTx(db, own, outbox))
    limitStatements(outbox, leftMs(progress))
    own.reads.epoch = Number((await head)?.['epoch'])
    made = { result, pid: client.processID }
    return result
  }

  let made = progress.lost
  try {
    const transaction = {
      begin: 'begin isolation level read committed',
      outbox,
      readsFirst: !writesEarly,
      work: decide
    }
    const result = await within(leftMs(progress), client, async () => await inTransaction(client, transaction))
    progress.settle({ epoch: own.epoch, nonce: progress.nonce })
    return result
  } catch (error) {
    if (error instanceof CommitLost) progress.lost = made
    progress.locks = outbox.deferred('lock')
    throw error
  }
}

const END_BACKEND = `
  select pg_terminate_backend(pid, 500) from pg_stat_activity
  where pid = $1 and datname = current_database() and usename = current_user
`

/** Terminates the lost attempt's server process, which may still receive the statements that were sent to it. */
const endBackend = async (db: PostgresDatabase, pid: number): Promise<void> => {
  await query(db, END_BACKEND, [pid])
}

/** Runs work on a connection, and closes the connection after `ms` milliseconds, so that work that hangs fails. */
const within = async <T>(ms: number, client: PoolClient, work: () => Promise<T>): Promise<T> => {
  const timer = setTimeout(() => client.connection.stream.destroy(), ms)
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Gives statements that may wait for a lock only part of the remaining time, so that the server cancels them with a
 * clear outcome before the connection is closed. A `lock_timeout` isn't enough, because one statement may wait for
 * several locks. The commit has no limit, because the server would stop waiting for a synchronous standby and report
 * success.
 */
const limitStatements = ({ defer }: Outbox, ms: number): void => {
  defer('beforeLock', setStatementTimeout(0.4 * ms))
  defer('beforeCommit', setStatementTimeout(0))
}

const setStatementTimeout =
  (ms: number): Send =>
  async db =>
    await query(db, `set local statement_timeout = ${Math.ceil(ms)}`)

/** Connects. Throws ConnectionLost if that takes longer than `ms` milliseconds. */
const connectWithin = async (pool: Pool, ms: number): Promise<PoolClient> => {
  const connecting = asQuery(pool.connect())
  const client = await Promise.race([connecting, wait(ms, null, { ref: false })])
  if (client !== null) return client
  void Promise.allSettled([connecting]).then(([late]) => {
    if (late.status === 'fulfilled') late.value.release()
  })
  throw new ConnectionLost('no connection was available in time')
}
