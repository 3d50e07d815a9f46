import { createWatch, NOT_REPORTED } from '../../../domain/background.ts'
import type { BackgroundHooks } from '../../../domain/background.ts'
import { scheduleTimer, systemClock } from '../../../domain/keys/freshness/clock.ts'
import type { Clock, Schedule } from '../../../domain/keys/freshness/clock.ts'
import { query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'

/** How many changes are kept, and for how long; a node that is further behind forgets all it remembers. */
const KEPT_CHANGES = 10_000
const KEPT_MS = 3_600_000
const CHANGES_INTERVAL_MS = 60_000
const DEFAULT_INTERVAL_MS = 1000

const FIND_EVICTED = 'select id, lease_ms from nodes where evicted_at is not null'
const REMOVE_NODES = 'delete from nodes where id = any($1::uuid[]) and evicted_at is not null'
const REMOVE_CHANGES = `
  delete from client_key_changes where epoch < (select max(epoch) from client_key_changes) - ${KEPT_CHANGES} and at < $1
`

export interface JanitorOptions {
  readonly db: PostgresDatabase
  readonly leaseMs: number
  /** Removes what else is over. */
  readonly others: readonly (() => Promise<unknown>)[]
  readonly background?: BackgroundHooks | undefined
  readonly clock?: Clock
  readonly schedule?: Schedule
}

/**
 * Removes what nobody needs any more, again and again: nodes that were evicted and whose last lease has ended, changes
 * that every node knows, and what `others` remove. Answers a function that stops it.
 */
export const startJanitor = ({
  db,
  leaseMs,
  others,
  background = NOT_REPORTED,
  clock = systemClock,
  schedule = scheduleTimer
}: JanitorOptions): (() => void) => {
  const removeNodes = createNodeRemoval(db, clock)
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
    // What was under way at the stop may find the pool closed.
    onFailure: (error, name) => {
      if (!isStopped) background.onFailure(error, name)
    },
    onRecovery: background.onRecovery
  })
  const workLater = (): (() => void) =>
    schedule(
      () => {
        // What fails is tried again the next time.
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

// By this process's own clock, since a lease ends by the clock of a process and not by what a row says.
const createNodeRemoval = (db: PostgresDatabase, clock: Clock): (() => Promise<void>) => {
  let seen = new Map<string, number>()
  return async () => {
    const { rows } = await query(db, FIND_EVICTED)
    const now = clock.monotonic()
    const evicted = rows.map(row => ({ id: String(row['id']), leaseMs: Number(row['lease_ms']) }))
    seen = new Map(evicted.map(({ id }) => [id, seen.get(id) ?? now]))
    const over = evicted.filter(({ id, leaseMs }) => now - Number(seen.get(id)) >= 2 * leaseMs).map(({ id }) => id)
    if (over.length > 0) await query(db, REMOVE_NODES, [over])
  }
}
