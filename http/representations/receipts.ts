import type { Receipt } from '../../domain/keys/freshness/receipt.ts'

const count = (description: string, example: number) =>
  ({ type: 'integer', minimum: 0, description, examples: [example] }) as const

/** The id of a receipt. */
export const receiptId = {
  type: 'string',
  description:
    'The id of the receipt: the number of the change, and a random UUID. The UUID is needed because numbers can be ' +
    'repeated after a database is restored.',
  examples: ['1042-7d7a3c51-6b0f-4a43-9d0e-1f6f0b6b3c55']
} as const

export const ReceiptJson = {
  $id: 'Receipt',
  type: 'object',
  required: ['id', 'epoch', 'effective_at', 'nodes', 'acknowledged', 'leases_ended', 'waited_ms'],
  properties: {
    id: receiptId,
    epoch: count('The number of the change in the history of all changes to client keys.', 1042),
    effective_at: {
      type: 'string',
      format: 'date-time',
      description: 'The time from which the change applies to every new request, on every node.',
      examples: ['2026-01-05T09:00:00.014Z']
    },
    nodes: count('The number of registered nodes, or 0 if no node needs to confirm changes.', 4),
    acknowledged: count('The number of nodes that confirmed the change.', 3),
    leases_ended: count(
      'The number of nodes that did not confirm the change before their leases ended. Such a node reads the change ' +
        'before it accepts requests again.',
      1
    ),
    waited_ms: count('The number of milliseconds between the commit and the receipt.', 14)
  }
} as const

export const receiptOrNull = {
  anyOf: [{ $ref: 'Receipt#' }, { type: 'null' }],
  description:
    'The receipt for the change, or null if the database became unavailable before every node had confirmed it.'
} as const

/** Returns a receipt as JSON. */
export const toReceiptJson = ({ id, epoch, effectiveAt, nodes, acknowledged, leasesEnded, waitedMs }: Receipt) => ({
  id,
  epoch,
  effective_at: effectiveAt,
  nodes,
  acknowledged,
  leases_ended: leasesEnded,
  waited_ms: waitedMs
})

/** Returns a receipt as JSON, or null. */
export const toReceiptOrNull = (receipt: Receipt | null) => (receipt === null ? null : toReceiptJson(receipt))
