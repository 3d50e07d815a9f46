import type { RevokedOwner } from '../../domain/keys/freshness/receipt.ts'
import { ownerText, RevokeBody } from './key-fields.ts'
import { receiptOrNull, toReceiptOrNull } from './receipts.ts'

/** The owner in an option of a command. */
export const OwnerQuery = { type: 'object', required: ['owner'], properties: { owner: ownerText } } as const

export const RevokeOwnerBody = {
  type: 'object',
  required: ['owner'],
  additionalProperties: false,
  properties: {
    owner: { ...ownerText, description: 'The owner whose keys are revoked.' },
    reason: RevokeBody.properties.reason
  },
  examples: [{ owner: 'an-owner-without-keys' }]
} as const

export const RevokedOwnerJson = {
  $id: 'RevokedOwner',
  type: 'object',
  required: ['owner', 'keys', 'receipt'],
  properties: {
    owner: { type: 'string', description: 'The owner whose keys were revoked.', examples: ['customer:4711'] },
    keys: {
      type: 'integer',
      minimum: 0,
      description: 'The number of keys that were revoked. Keys that were already revoked are not counted.',
      examples: [3]
    },
    receipt: receiptOrNull
  }
} as const

/** Returns an owner whose keys were revoked as JSON, with the receipt for the change. */
export const toRevokedOwnerJson = ({ owner, count, receipt }: RevokedOwner) => ({
  owner,
  keys: count,
  receipt: toReceiptOrNull(receipt)
})
