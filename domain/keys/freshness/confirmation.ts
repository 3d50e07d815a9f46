import { createWatch, NOT_REPORTED } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import type { Clock } from './clock.ts'
import { coalesced } from './coalesced.ts'
import type { Eviction, Evictions } from './evictions.ts'
import type { Position } from './lease-store.ts'
import { receiptIdOf } from './receipt.ts'
import type { Receipt } from './receipt.ts'

/** A node that hasn't acknowledged a change. */
export interface SilentNode {
  readonly id: string
  /** The duration of the node's leases in milliseconds. */
  readonly leaseMs: number
  /** When the node was evicted, as stored in the database, or null if it hasn't been. */
  readonly evictedAt: string | null
}

/** A snapshot of the acknowledgements of a change. */
export interface Pending {
  /** The number of registered nodes, including evicted ones. */
  readonly nodes: number
  /** The number of nodes that have acknowledged the change or a later one. */
  readonly acknowledged: number
  /** The nodes that use leases and haven't acknowledged the change. */
  readonly silent: readonly SilentNode[]
}

/** Stores which nodes have applied a change. It must use the database that changes are committed to, not a replica. */
export interface ConfirmationStore {
  /**
   * Returns the acknowledgements of a change. Evicted nodes are included as long as they are listed, because their last
   * lease may not have expired yet. Rejects if the database doesn't contain the change, for example because a backup
   * was restored.
   */
  readonly pending: (change: Position) => Promise<Pending>
  /**
   * Evicts the nodes that use leases and haven't acknowledged the change. All their later renewals fail. Resolves after
   * the commit.
   */
  readonly evict: (epoch: number) => Promise<readonly Eviction[]>
}

export interface ConfirmationOptions {
  readonly clock: Clock
  readonly sleep: (ms: number) => Promise<void>
  readonly store: ConfirmationStore
  readonly evictions: Evictions
  /** Returns the current time of the clock that all nodes share, in milliseconds since 1970. */
  readonly now: () => number
  readonly background?: BackgroundHooks | undefined
}

export interface ConfirmOptions {
  /** Whether to wait until the nodes that haven't acknowledged the change are evicted, or their eviction fails. */
  readonly awaitsEviction?: boolean
}

/**
 * Resolves when a change applies to every new request on any node. `committedAt` is the time on the monotonic clock
 * after the commit. Rejects if the store fails. In that case, the change is committed, but its receipt must be
 * requested later.
 */
export type Confirm = (change: Position, committedAt: number, options?: ConfirmOptions) => Promise<Receipt>

/**
 * The maximum ratio between the durations of a lease on this clock and on its node's clock, if both clocks are accurate
 * to within 10%.
 */
const CLOCK_FACTOR = 1.25
const CLOCK_RESOLUTION_MS = 5
/** Returns the maximum duration of a lease after its last renewal, in milliseconds on this clock. */
export const longestLeaseMs = (leaseMs: number): number => CLOCK_FACTOR * leaseMs + CLOCK_RESOLUTION_MS

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 10

const isEvicted = (node: SilentNode): node is SilentNode & Eviction => node.evictedAt !== null

/**
 * Creates the function that evicts the nodes that haven't acknowledged a change. It runs only one statement at a time,
 * because a statement may have to wait for a lock. It never rejects.
 */
const createEviction = ({ store, evictions, background = NOT_REPORTED }: ConfirmationOptions) => {
  const { attempt } = createWatch('evict nodes that did not acknowledge a change', background)
  let epoch = 0
  const evict = coalesced(async () => {
    await attempt(async () => {
      evictions.add(await store.evict(epoch))
    })
  })
  return async (confirmed: number): Promise<void> => {
    epoch = Math.max(epoch, confirmed)
    await evict()
  }
}

export const createConfirmation = (options: ConfirmationOptions): Confirm => {
  const { clock, sleep, store, evictions, now } = options
  const evict = createEviction(options)

  /** Returns whether a node no longer accepts anything that it cached before the change. */
  const isLeaseOver = (node: SilentNode, committedAt: number): boolean => {
    const passed = Math.max(clock.monotonic() - committedAt, isEvicted(node) ? evictions.age(node) : 0)
    return passed > longestLeaseMs(node.leaseMs)
  }

  const readPending = async (change: Position): Promise<Pending> => {
    const pending = await store.pending(change)
    evictions.add(pending.silent.filter(isEvicted))
    return pending
  }

  return async (change, committedAt, { awaitsEviction = false } = {}) => {
    let pending = await readPending(change)
    const isConfirmed = (): boolean => pending.silent.every(node => isLeaseOver(node, committedAt))
    for (let pause = FIRST_PAUSE_MS; !isConfirmed(); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await sleep(pause)
      pending = await readPending(change)
    }
    const { nodes, acknowledged, silent } = pending
    // The receipt doesn't depend on the eviction. If the eviction fails, the next change waits for these nodes again.
    const evicted = silent.every(isEvicted) ? undefined : evict(change.epoch)
    if (awaitsEviction) await evicted
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
