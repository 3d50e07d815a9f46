import { createWatch, NOT_REPORTED } from '../../../domain/background.ts'
import type { BackgroundHooks } from '../../../domain/background.ts'
import { scheduleTimer, systemClock } from '../../../domain/keys/freshness/clock.ts'
import type { Clock, Schedule } from '../../../domain/keys/freshness/clock.ts'
import { query } from '../database.ts'
import type { Evictions } from '../../../domain/keys/freshness/evictions.ts'
import type { PostgresDatabase } from '../database.ts'
import { toEviction } from './confirmation.ts'

/** How many changes are kept, and for how long. A node that is further behind clears its cache. */
const KEPT_CHANGES = 10_000
const KEPT_MS = 3_600_000
const CHANGES_INTERVAL_MS = 60_000
const DEFAULT_INTERVAL_MS = 1000

const FIND_EVICTED = 'select id, lease_ms, evicted_at from nodes where evicted_at is not null'
const REMOVE_NODES = 'delete from nodes where id = any($1::uuid[]) and evicted_at is not null'
const REMOVE_CHANGES = `
  delete from client_key_changes where epoch < (select max(epoch) from client_key_changes) - ${KEPT_CHANGES} and at < $1
`

export interface JanitorOptions {
  readonly db: PostgresDatabase
  readonly leaseMs: number
  readonly evictions: Evictions
  /** Functions that delete other expired rows. */
  readonly others: readonly (() => Promise<unknown>)[]
  readonly background?: BackgroundHooks | undefined
  readonly clock?: Clock
  readonly schedule?: Schedule
}

/**
 * At regular intervals, deletes rows that are no longer needed: nodes that have been evicted and whose last lease has
 * ended, changes that every node has read, and the rows that `others` delete. Returns a function that stops it.
 */
export const startJanitor = ({
  db,
  leaseMs,
  evictions,
  others,
  background = NOT_REPORTED,
  clock = systemClock,
  schedule = scheduleTimer
}: JanitorOptions): (() => void) => {
  const removeNodes = createNodeRemoval(db, evictions)
  let changesAt = clock.monotonic()

  const work = async (): Promise<void> => {
    await removeNodes()
    if (clock.monotonic() - changesAt < CHANGES_INTERVAL_MS) return
    changesAt = clock.monotonic()
    await query(db, REMOVE_CHANGES, [new Date(clock.wall() - KEPT_MS).toISOString()])
    for (const remove of others) await remove()
  }

  let isStopped = false
  const removal = createWatch('remove expired nodes, changes and counters', {
    // Work that is in progress when the janitor is stopped may fail, because the pool is closed.
    onFailure: (error, name) => {
      if (!isStopped) background.onFailure(error, name)
    },
    onRecovery: background.onRecovery
  })
  const workLater = (): (() => void) =>
    schedule(
      () => {
        // A failed removal is retried the next time.
        void removal.attempt(work).then(() => {
          if (!isStopped) cancel = workLater()
        })
      },
      Math.max(leaseMs, DEFAULT_INTERVAL_MS)
    )
  let cancel = workLater()
  return () => {
    isStopped = true
    cancel()
  }
}

// Uses this process's clock, because a lease expires according to its own process's clock, not at a stored time.
const createNodeRemoval = (db: PostgresDatabase, evictions: Evictions) => async (): Promise<void> => {
  const { rows } = await query(db, FIND_EVICTED)
  const evicted = rows.map(row => ({ ...toEviction(row), leaseMs: Number(row['lease_ms']) }))
  evictions.replace(evicted)
  const over = evicted.filter(node => evictions.age(node) >= 2 * node.leaseMs).map(({ id }) => id)
  if (over.length > 0) await query(db, REMOVE_NODES, [over])
}
