import { createWatch, NOT_REPORTED } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import type { Clock } from './clock.ts'
import type { Position } from './lease-store.ts'
import { receiptIdOf } from './receipt.ts'
import type { Receipt } from './receipt.ts'

/** How far a change is known, as one snapshot sees it. */
export interface Pending {
  /** How many nodes are registered, those that are evicted included. */
  readonly nodes: number
  /** How many of them have acknowledged the change, or a later one. */
  readonly acknowledged: number
  /** The longest lease, in milliseconds, of those that have not; 0 where there are none. */
  readonly leaseMs: number
}

/** Where it is told which nodes obey a change: the database that the change was committed to, never a copy of it. */
export interface ConfirmationStore {
  /**
   * Evicted nodes count as well, as long as they are listed: their last lease may not have ended. Rejects where the
   * change is not in the database, as after a backup was restored.
   */
  readonly pending: (change: Position) => Promise<Pending>
  /** Evicts the nodes with a lease that have not acknowledged the change: their renewals find nothing from then on. */
  readonly evict: (epoch: number) => Promise<void>
}

export interface ConfirmationOptions {
  readonly clock: Clock
  readonly sleep: (ms: number) => Promise<void>
  readonly store: ConfirmationStore
  readonly background?: BackgroundHooks | undefined
}

/**
 * Resolves when every request that begins from then on, at any node, obeys a change. `committedAt` is what the
 * monotonic clock told after the commit. Rejects with the first failure of the store: the change is made, but there is
 * no receipt yet. It may be asked for again.
 */
export type Confirm = (change: Position, committedAt: number) => Promise<Receipt>

/** What a lease may last longer by this clock than by that of its node, where both are right within a tenth. */
const CLOCK_FACTOR = 1.25
const CLOCK_GRAIN_MS = 5
/** For how long a lease of that length may go on by this clock, after the last renewal, in milliseconds. */
export const longestLeaseMs = (leaseMs: number): number => CLOCK_FACTOR * leaseMs + CLOCK_GRAIN_MS

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 10

export const createConfirmation = ({
  clock,
  sleep,
  store,
  background = NOT_REPORTED
}: ConfirmationOptions): Confirm => {
  const eviction = createWatch('evict the nodes that did not acknowledge a change', background)

  /** Whether no node is left that may accept what it remembers from before the change. */
  const isKnown = ({ nodes, acknowledged, leaseMs }: Pending, committedAt: number): boolean =>
    acknowledged === nodes || leaseMs === 0 || clock.monotonic() - committedAt > longestLeaseMs(leaseMs)

  return async (change, committedAt) => {
    let pending = await store.pending(change)
    for (let pause = FIRST_PAUSE_MS; !isKnown(pending, committedAt); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await sleep(pause)
      pending = await store.pending(change)
    }
    const { nodes, acknowledged, leaseMs } = pending
    const effectiveAt = new Date(clock.wall())
    const waitedMs = Math.round(clock.monotonic() - committedAt)
    // Nothing rests on it: where it fails, the next change waits for these nodes again.
    if (leaseMs > 0) {
      await eviction.attempt(async () => {
        await store.evict(change.epoch)
      })
    }
    const counts = { nodes, acknowledged, leasesEnded: nodes - acknowledged, waitedMs }
    return { id: receiptIdOf(change), epoch: change.epoch, effectiveAt, ...counts }
  }
}
