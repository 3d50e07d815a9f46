import type { Audit } from '../../domain/audits/audit.ts'

export const AuditJson = {
  $id: 'Audit',
  type: 'object',
  required: [
    'sequence',
    'at',
    'actor',
    'action',
    'subject',
    'changes',
    'address',
    'request_id',
    'previous_hash',
    'hash'
  ],
  properties: {
    sequence: { type: 'integer', description: '1 and up, without a gap.', examples: [42] },
    at: {
      type: 'string',
      format: 'date-time',
      description: 'When it was done.',
      examples: ['2026-01-05T09:00:00.000Z']
    },
    actor: { $ref: 'Actor#' },
    action: { type: 'string', description: 'What was done: a resource and a verb.', examples: ['client_key.rotate'] },
    subject: {
      type: 'object',
      required: ['type', 'id'],
      description: 'What it was done to.',
      properties: {
        type: { type: 'string', examples: ['client_key'] },
        id: { type: 'string', examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'] }
      }
    },
    changes: {
      type: 'object',
      additionalProperties: { type: 'object', properties: { from: {}, to: {}, changed: { type: 'boolean' } } },
      description:
        'Each field that is another now, with what it was and what it is; of a field that is too large to ' +
        'repeat, only that it `changed`. Never a secret.',
      examples: [{ enabled: { from: true, to: false } }]
    },
    address: {
      type: ['string', 'null'],
      description: 'Where the request came from; null: from the machine of the service.',
      examples: ['10.0.0.5']
    },
    request_id: {
      type: ['string', 'null'],
      description: 'The id of the request in the log of the service.',
      examples: ['req-1']
    },
    previous_hash: {
      type: 'string',
      description: 'The hash of the entry before; zeros for the first.',
      examples: ['0'.repeat(64)]
    },
    hash: {
      type: 'string',
      description: 'SHA-256 of everything else in the entry: `npm run audit:verify` walks the chain.',
      examples: ['a'.repeat(64)]
    }
  }
} as const

/** An entry as JSON text. */
export const writeAudit = ({
  sequence,
  at,
  actor,
  action,
  subject,
  changes,
  address,
  requestId,
  previousHash,
  hash
}: Audit): string =>
  JSON.stringify({
    sequence,
    at,
    actor,
    action,
    subject,
    changes: JSON.parse(changes) as unknown,
    address,
    request_id: requestId,
    previous_hash: previousHash,
    hash
  })
