import type { ClientKeyRecord } from '../client-key.ts'
import type { Position } from './lease-store.ts'

/** What is known of a change that was made: from when on, and why, every node obeys it. */
export interface Receipt {
  /** By which it is asked for: see `receiptIdOf`. */
  readonly id: string
  /** The number of the change, among all changes of keys. */
  readonly epoch: number
  /** Every request that begins from this instant on obeys the change, at any node. */
  readonly effectiveAt: Date
  /** How many nodes were registered. */
  readonly nodes: number
  /** How many of them said that they obey the change. */
  readonly acknowledged: number
  /** How many said nothing, so that the change waited for their leases to end: they learn of it before they accept. */
  readonly leasesEnded: number
  /** How many milliseconds passed from the commit to the receipt. */
  readonly waitedMs: number
}

/** A key as it is after a change, and what is known of who obeys the change. */
export interface ChangedKey {
  readonly key: ClientKeyRecord
  /** The id of the receipt of the change. */
  readonly receiptId: string
  /** Null: the change is made, but the database was lost before it could be told who obeys it. Ask for it later. */
  readonly receipt: Receipt | null
}

const RECEIPT_ID = /^([1-9]\d{0,14})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/**
 * The id of the receipt of a change: its number and its nonce. After a restore the number is that of another change,
 * too.
 */
export const receiptIdOf = ({ epoch, nonce }: Position): string => `${epoch}-${nonce}`

/** The change whose receipt has an id; null: no receipt has one of this form. */
export const changeOf = (receiptId: string): Position | null => {
  const [, epoch, nonce] = RECEIPT_ID.exec(receiptId) ?? []
  return nonce === undefined ? null : { epoch: Number(epoch), nonce }
}

/** The receipt of a change that no node has to be told of, at the instant of its commit. */
export const immediateReceipt = (change: Position, effectiveAt: Date): Receipt => ({
  id: receiptIdOf(change),
  epoch: change.epoch,
  effectiveAt,
  nodes: 0,
  acknowledged: 0,
  leasesEnded: 0,
  waitedMs: 0
})
