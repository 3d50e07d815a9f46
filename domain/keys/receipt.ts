import type { ClientKeyRecord } from './client-key.ts'

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

const count = (description: string, example: number) =>
  ({ type: 'integer', minimum: 0, description, examples: [example] }) as const

export const ReceiptJson = {
  $id: 'Receipt',
  type: 'object',
  required: ['epoch', 'effective_at', 'nodes', 'acknowledged', 'leases_ended', 'waited_ms'],
  properties: {
    epoch: count('The number of the change, among all changes of client keys.', 1042),
    effective_at: {
      type: 'string',
      format: 'date-time',
      description: 'Every request that begins from this instant on obeys the change, at any node.',
      examples: ['2026-01-05T09:00:00.014Z']
    },
    nodes: count('How many nodes were registered; 0 where nodes need not be told.', 4),
    acknowledged: count('How many of them said that they obey the change.', 3),
    leases_ended: count('How many said nothing: they trust nothing they remember until they have learnt of it.', 1),
    waited_ms: count('How many milliseconds passed from the commit to the receipt.', 14)
  }
} as const

/** A receipt as JSON has it. */
export const toReceiptJson = ({ epoch, effectiveAt, nodes, acknowledged, leasesEnded, waitedMs }: Receipt) => ({
  epoch,
  effective_at: effectiveAt,
  nodes,
  acknowledged,
  leases_ended: leasesEnded,
  waited_ms: waitedMs
})
