import type { ClientKeyRecord } from '../client-key.ts'
import type { Position } from './lease-store.ts'

/** The confirmation that every node applies a change. */
export interface Receipt {
  /** The id with which the receipt can be requested: see `receiptIdOf`. */
  readonly id: string
  /** The number of the change in the history of all changes of keys. */
  readonly epoch: number
  /** The change applies to every request that begins at this time or later, on any node. */
  readonly effectiveAt: Date
  /** The number of registered nodes. */
  readonly nodes: number
  /** The number of nodes that acknowledged the change. */
  readonly acknowledged: number
  /**
   * The number of nodes that didn't acknowledge the change, and whose leases ended instead. Such a node reads the
   * change before it accepts requests again.
   */
  readonly leasesEnded: number
  /** The number of milliseconds between the commit and the receipt. */
  readonly waitedMs: number
}

/** What is known about a change that was committed. */
export interface Known {
  /** The id of the change's receipt. */
  readonly receiptId: string
  /**
   * Null if the database became unavailable before every node had confirmed the change. The change is committed, and
   * its receipt can be requested later.
   */
  readonly receipt: Receipt | null
}

/** A key after a change, and the receipt of the change. */
export interface ChangedKey extends Known {
  readonly key: ClientKeyRecord
}

/** An owner whose keys were revoked, the number of keys, and the receipt. */
export interface RevokedOwner extends Known {
  readonly owner: string
  readonly count: number
}

const RECEIPT_ID = /^([1-9]\d{0,14})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/**
 * Returns the id of a change's receipt: the change's epoch and nonce. The epoch alone isn't unique, because another
 * change gets the same epoch after a backup is restored.
 */
export const receiptIdOf = ({ epoch, nonce }: Position): string => `${epoch}-${nonce}`

/** Returns the change that the given receipt id identifies, or null if the id is malformed. */
export const changeOf = (receiptId: string): Position | null => {
  const [, epoch, nonce] = RECEIPT_ID.exec(receiptId) ?? []
  return nonce === undefined ? null : { epoch: Number(epoch), nonce }
}

/** Returns the receipt for a change that takes effect when it is committed, because no node needs to confirm it. */
export const immediateReceipt = (change: Position, effectiveAt: Date): Receipt => ({
  id: receiptIdOf(change),
  epoch: change.epoch,
  effectiveAt,
  nodes: 0,
  acknowledged: 0,
  leasesEnded: 0,
  waitedMs: 0
})
