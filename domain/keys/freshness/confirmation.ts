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
  /** The length of its leases in milliseconds. */
  readonly leaseMs: number
  /** When the node was evicted, as stored in the database, or null if it wasn't. */
  readonly evictedAt: string | null
}

/** The acknowledgements of a change, in one snapshot. */
export interface Pending {
  /** The number of registered nodes, including evicted ones. */
  readonly nodes: number
  /** The number of nodes that have acknowledged the change or a later one. */
  readonly acknowledged: number
  /** The nodes that use leases and haven't acknowledged the change. */
  readonly silent: readonly SilentNode[]
}

/** Stores which nodes have applied a change. Must use the database that changes are committed to, not a replica. */
export interface ConfirmationStore {
  /**
   * Returns the acknowledgements of a change. Evicted nodes are included as long as they are listed, because their last
   * lease may not have ended yet. Rejects if the database doesn't contain the change, for example after a backup was
   * restored.
   */
  readonly pending: (change: Position) => Promise<Pending>
  /**
   * Evicts the nodes that use leases and haven't acknowledged the change, so that all their further renewals fail.
   * Resolves after the commit.
   */
  readonly evict: (epoch: number) => Promise<readonly Eviction[]>
}

export interface ConfirmationOptions {
  readonly clock: Clock
  readonly sleep: (ms: number) => Promise<void>
  readonly store: ConfirmationStore
  readonly evictions: Evictions
  /** Returns the current time in milliseconds since 1970, by the clock that all nodes share. */
  readonly now: () => number
  readonly background?: BackgroundHooks | undefined
}

export interface ConfirmOptions {
  /** Whether to wait until the nodes that haven't acknowledged the change are evicted, or their eviction has failed. */
  readonly awaitsEviction?: boolean
}

/**
 * Resolves when a change applies to every request that begins from then on, on any node. `committedAt` is the time of
 * the monotonic clock after the commit. Rejects if the store fails. In that case, the change is committed but doesn't
 * have a receipt yet; the receipt can be requested again.
 */
export type Confirm = (change: Position, committedAt: number, options?: ConfirmOptions) => Promise<Receipt>

/**
 * How many times longer a lease may last by this clock than by its node's clock, if both are accurate within 10%.
 */
const CLOCK_FACTOR = 1.25
const CLOCK_GRAIN_MS = 5
/** Returns the maximum duration of a lease after its last renewal, measured by this clock in milliseconds. */
export const longestLeaseMs = (leaseMs: number): number => CLOCK_FACTOR * leaseMs + CLOCK_GRAIN_MS

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 10

const isEvicted = (node: SilentNode): node is SilentNode & Eviction => node.evictedAt !== null

/**
 * Creates the function that evicts the nodes that haven't acknowledged a change. Only one statement runs at a time,
 * because it may have to wait for a lock. The function never rejects.
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
  const isOver = (node: SilentNode, committedAt: number): boolean => {
    const passed = Math.max(clock.monotonic() - committedAt, isEvicted(node) ? evictions.age(node) : 0)
    return passed > longestLeaseMs(node.leaseMs)
  }

  const ask = async (change: Position): Promise<Pending> => {
    const pending = await store.pending(change)
    evictions.add(pending.silent.filter(isEvicted))
    return pending
  }

  return async (change, committedAt, { awaitsEviction = false } = {}) => {
    let pending = await ask(change)
    const isKnown = (): boolean => pending.silent.every(node => isOver(node, committedAt))
    for (let pause = FIRST_PAUSE_MS; !isKnown(); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      await sleep(pause)
      pending = await ask(change)
    }
    const { nodes, acknowledged, silent } = pending
    // The receipt doesn't depend on the eviction. If it fails, the next change waits for these nodes again.
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
