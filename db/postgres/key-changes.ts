import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import type { Position } from '../../domain/keys/freshness/lease-store.ts'
import type { KeyTx } from '../../domain/keys/store.ts'
import { createPermits } from '../permits.ts'
import { createDatabase, lock, query } from './database.ts'
import type { PostgresDatabase } from './database.ts'
import {
  asQuery,
  ConnectionLost,
  isConflict,
  isConnectionFailure,
  isLockTimeout,
  toFailure,
  toUnknownOutcome
} from './failures.ts'
import { createReadSet } from './keys/change.ts'
import type { Attempt, KeyChange } from './keys/change.ts'
import { preparing } from './prepared.ts'
import { CHANGES } from './settings.ts'
import { CommitLost, createOutbox, inTransaction } from './transaction.ts'
import type { Outbox, Send } from './transaction.ts'

export interface KeyChangesOptions {
  /** Connections that nothing else takes. */
  readonly pool: Pool
  /** Creates the rows of an attempt, over its connection. */
  readonly createTx: (db: PostgresDatabase, attempt: Attempt, outbox: Outbox) => KeyTx
}

/** Runs work in a transaction that changes keys, more than once if need be. */
export type ChangeKeys = <T>(work: (tx: KeyTx) => Promise<T>) => Promise<T>

/** A change of keys, from its first attempt to its last. */
interface Progress<T> extends KeyChange {
  readonly settle: (position: Position) => void
  /** When it is given up, by the monotonic clock. */
  readonly deadline: number
  /** The connection of the attempt that is under way. */
  client: PoolClient | null
  /** What locked the rows of an earlier attempt; null: nothing got in the way of one. */
  locks: readonly Send[] | null
  /** What the attempt returned whose commit was lost: it may be committed. */
  lost: { readonly result: T } | null
}

const RETRY_INTERVAL_MS = 20

// It is read before anything else, so that the check at the end finds every change that came after that.
const HEAD = `
  select (select max(epoch) from client_key_changes) as epoch,
    (select epoch from client_key_changes where nonce = $1) as committed
`

/**
 * Creates the transactions that change keys. Each is over within a second, whatever becomes of the database. If a
 * commit is lost, the change is looked for by its nonce, and made again if it is not there.
 */
export const createKeyChanges = (options: KeyChangesOptions): ChangeKeys => {
  const enter = createPermits(CHANGES.atOnce, CHANGES.waitMs)

  return async <T>(work: (tx: KeyTx) => Promise<T>) =>
    await enter(async () => {
      const progress = begin<T>()
      // What hangs fails with its connection.
      const timer = setTimeout(() => progress.client?.connection.stream.destroy(), CHANGES.limitMs)
      try {
        return await repeatedly(progress, async () => await attempt(options, { progress, work }))
      } finally {
        clearTimeout(timer)
      }
    })
}

const begin = <T>(): Progress<T> => {
  let settle: Progress<T>['settle'] = () => {}
  const position = new Promise<Position>(resolve => {
    settle = resolve
  })
  const deadline = performance.now() + CHANGES.limitMs
  return { nonce: randomUUID(), position, settle, deadline, client: null, locks: null, lost: null }
}

/** Makes attempts until one succeeds, or none may any more. */
const repeatedly = async <T>(progress: Progress<T>, make: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await make()
    } catch (error) {
      if (!mayRepeat(error) || performance.now() >= progress.deadline - RETRY_INTERVAL_MS) {
        throw progress.lost !== null && mayRepeat(error) ? toUnknownOutcome(error) : toFailure(error)
      }
      if (!isConflict(error)) await wait(RETRY_INTERVAL_MS)
    }
  }
}

// A lock that can't be had now is left to the requester, who is told at once.
const mayRepeat = (error: unknown): boolean =>
  error instanceof CommitLost || isConflict(error) || (isConnectionFailure(error) && !isLockTimeout(error))

interface Make<T> {
  readonly progress: Progress<T>
  readonly work: (tx: KeyTx) => Promise<T>
}

const attempt = async <T>({ pool, createTx }: KeyChangesOptions, { progress, work }: Make<T>): Promise<T> => {
  const client = await connectWithin(pool, progress.deadline - performance.now())
  const db = createDatabase(preparing(client))
  const outbox = createOutbox(db)
  const own: Attempt = { change: progress, reads: createReadSet(), epoch: 0 }
  progress.client = client

  const decide = async (): Promise<T> => {
    if (progress.locks !== null) {
      for (const send of [...progress.locks, lockChanges]) outbox.leaveUnanswered(send(db))
    }
    const head = query(db, HEAD, [progress.nonce]).then(({ rows }) => rows[0])
    outbox.leaveUnanswered(head)
    if (progress.lost !== null) {
      own.epoch = Number((await head)?.['committed'])
      if (own.epoch > 0) return progress.lost.result
    }
    const result = await work(createTx(db, own, outbox))
    limitLocks(outbox, progress.deadline - performance.now())
    own.reads.epoch = Number((await head)?.['epoch'])
    made = { result }
    return result
  }

  let made = progress.lost
  try {
    const result = await inTransaction(client, { begin: 'begin isolation level read committed', outbox, work: decide })
    progress.settle({ epoch: own.epoch, nonce: progress.nonce })
    return result
  } catch (error) {
    if (error instanceof CommitLost) progress.lost = made
    progress.locks = outbox.deferred('lock')
    throw error
  } finally {
    progress.client = null
  }
}

/**
 * Limits the waits for locks by the time that is left, so that the server ends them, with a clear outcome, before the
 * connection is given up. The lock of a row is held by somebody else's work, which may take any time.
 */
const limitLocks = ({ defer }: Outbox, leftMs: number): void => {
  defer('beforeLock', setLockTimeout(Math.min(CHANGES.lockMs, 0.3 * leftMs)))
  defer('beforeChange', setLockTimeout(0.6 * leftMs))
}

const setLockTimeout =
  (ms: number): Send =>
  async db =>
    await query(db, `set local lock_timeout = ${Math.max(1, Math.round(ms))}`)

const lockChanges: Send = async db => {
  await lock(db, 'keyChanges')
}

/** Connects, unless that takes longer than some milliseconds. */
const connectWithin = async (pool: Pool, ms: number): Promise<PoolClient> => {
  const connecting = asQuery(pool.connect())
  const client = await Promise.race([connecting, wait(ms, null, { ref: false })])
  if (client !== null) return client
  connecting.then(late => {
    late.release()
  }, ignore)
  throw new ConnectionLost('no connection could be made in time')
}

const ignore = (): void => {}
