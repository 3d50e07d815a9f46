import type { ClientKeyRecord } from '../client-key.ts'

/** What is known of a change that was made: from when on, and why, every node obeys it. */
export interface Receipt {
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
  readonly epoch: number
  /** Null: the change is made, but the database was lost before it could be told who obeys it. Ask for it later. */
  readonly receipt: Receipt | null
}

/** The receipt of a change that no node has to be told of, at the instant of its commit. */
export const immediateReceipt = (epoch: number, effectiveAt: Date): Receipt => ({
  epoch,
  effectiveAt,
  nodes: 0,
  acknowledged: 0,
  leasesEnded: 0,
  waitedMs: 0
})
