import { createWatch, NOT_REPORTED } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import type { Clock } from './clock.ts'
import { coalesced } from './coalesced.ts'
import type { Eviction, Evictions } from './evictions.ts'
import type { Position } from './lease-store.ts'
import { receiptIdOf } from './receipt.ts'
import type { Receipt } from './receipt.ts'

/** A node that has not acknowledged a change. */
export interface SilentNode {
  readonly id: string
  /** The length of its leases, in milliseconds. */
  readonly leaseMs: number
  /** When it was evicted, as it is stored; null: it is not. */
  readonly evictedAt: string | null
}

/** How far a change is known, as one snapshot sees it. */
export interface Pending {
  /** How many nodes are registered, those that are evicted included. */
  readonly nodes: number
  /** How many of them have acknowledged the change, or a later one. */
  readonly acknowledged: number
  /** Those of them that have not, and have leases. */
  readonly silent: readonly SilentNode[]
}

/** Where it is stored which nodes obey a change: the database that the change was committed to, never a copy of it. */
export interface ConfirmationStore {
  /**
   * Evicted nodes count as well, as long as they are listed: their last lease may not have ended. Rejects if the change
   * is not in the database, as after a backup was restored.
   */
  readonly pending: (change: Position) => Promise<Pending>
  /**
   * Evicts the nodes with a lease that have not acknowledged the change: their renewals find nothing from then on.
   * Resolves after the commit.
   */
  readonly evict: (epoch: number) => Promise<readonly Eviction[]>
}

export interface ConfirmationOptions {
  readonly clock: Clock
  readonly sleep: (ms: number) => Promise<void>
  readonly store: ConfirmationStore
  readonly evictions: Evictions
  /** Returns the present instant in milliseconds since 1970, by the clock that all nodes share. */
  readonly now: () => number
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

const isEvicted = (node: SilentNode): node is SilentNode & Eviction => node.evictedAt !== null

/** Evicts those that are silent about a change: one statement at a time, which may have to wait for a lock. */
const createEviction = ({ store, evictions, background = NOT_REPORTED }: ConfirmationOptions) => {
  const { attempt } = createWatch('evict the nodes that did not acknowledge a change', background)
  let epoch = 0
  const evict = coalesced(async () => {
    await attempt(async () => {
      evictions.add(await store.evict(epoch))
    })
  })
  return (confirmed: number): void => {
    epoch = Math.max(epoch, confirmed)
    void evict()
  }
}

export const createConfirmation = (options: ConfirmationOptions): Confirm => {
  const { clock, sleep, store, evictions, now } = options
  const evict = createEviction(options)

  /** Whether a node accepts nothing any more that it remembers from before the change. */
  const isOver = (node: SilentNode, committedAt: number): boolean => {
    const passed = Math.max(clock.monotonic() - committedAt, isEvicted(node) ? evictions.age(node) : 0)
    return passed > longestLeaseMs(node.leaseMs)
  }

  const ask = async (change: Position): Promise<Pending> => {
    const pending = await store.pending(change)
    evictions.add(pending.silent.filter(isEvicted))
    return pending
  }

  return async (change, committedAt) => {
    let pending = await ask(change)
    const isKnown = (): boolean => pending.silent.every(node => isOver(node, committedAt))
    for (let pause = FIRST_PAUSE_MS; !isKnown(); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await sleep(pause)
      pending = await ask(change)
    }
    const { nodes, acknowledged, silent } = pending
    // Nothing rests on it, and nobody waits for it: if it fails, the next change waits for these nodes again.
    if (!silent.every(isEvicted)) evict(change.epoch)
    return {
      id: receiptIdOf(change),
      epoch: change.epoch,
      effectiveAt: new Date(now()),
      nodes,
      acknowledged,
      leasesEnded: nodes - acknowledged,
      waitedMs: Math.round(clock.monotonic() - committedAt)
    }
  }
}
