import type { Receipt } from '../../domain/keys/freshness/receipt.ts'

const count = (description: string, example: number) =>
  ({ type: 'integer', minimum: 0, description, examples: [example] }) as const

/** The id of a receipt. */
export const receiptId = {
  type: 'string',
  description: 'The number of the change and a random UUID: no change of a restored database has the same.',
  examples: ['1042-7d7a3c51-6b0f-4a43-9d0e-1f6f0b6b3c55']
} as const

export const ReceiptJson = {
  $id: 'Receipt',
  type: 'object',
  required: ['id', 'epoch', 'effective_at', 'nodes', 'acknowledged', 'leases_ended', 'waited_ms'],
  properties: {
    id: receiptId,
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
export const toReceiptJson = ({ id, epoch, effectiveAt, nodes, acknowledged, leasesEnded, waitedMs }: Receipt) => ({
  id,
  epoch,
  effective_at: effectiveAt,
  nodes,
  acknowledged,
  leases_ended: leasesEnded,
  waited_ms: waitedMs
})
