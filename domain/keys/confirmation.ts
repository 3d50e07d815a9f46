import type { Clock } from './clock.ts'
import type { Position } from './lease-store.ts'
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
const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 10

export const createConfirmation = ({ clock, sleep, store }: ConfirmationOptions): Confirm => {
  const haveEnded = (leaseMs: number, since: number): boolean =>
    leaseMs === 0 || clock.monotonic() - since > CLOCK_FACTOR * leaseMs + CLOCK_GRAIN_MS

  // Nothing rests on it: without it, the next change waits for these nodes again.
  const evict = async (epoch: number): Promise<void> => {
    await store.evict(epoch).catch(() => {})
  }

  return async (change, committedAt) => {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const { nodes, acknowledged, leaseMs } = await store.pending(change)
      const leasesEnded = nodes - acknowledged
      if (leasesEnded === 0 || haveEnded(leaseMs, committedAt)) {
        const waitedMs = Math.round(clock.monotonic() - committedAt)
        const effectiveAt = new Date(clock.wall())
        if (leaseMs > 0) await evict(change.epoch)
        return { epoch: change.epoch, effectiveAt, nodes, acknowledged, leasesEnded, waitedMs }
      }
      await sleep(pause)
    }
  }
}
