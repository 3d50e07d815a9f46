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
    sequence: {
      type: 'integer',
      description: 'The number of the entry. Numbers start at 1 and have no gaps.',
      examples: [42]
    },
    at: {
      type: 'string',
      format: 'date-time',
      description: 'When the change was made.',
      examples: ['2026-01-05T09:00:00.000Z']
    },
    actor: { $ref: 'Actor#' },
    action: {
      type: 'string',
      description: 'The action, which consists of a resource and a verb.',
      examples: ['client_key.rotate']
    },
    subject: {
      type: 'object',
      required: ['type', 'id'],
      description: 'The resource that was changed.',
      properties: {
        type: { type: 'string', examples: ['client_key'] },
        id: { type: 'string', examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'] }
      }
    },
    changes: {
      type: 'object',
      additionalProperties: { type: 'object', properties: { from: {}, to: {}, changed: { type: 'boolean' } } },
      description:
        'The changed fields, each with its old value in `from` and its new value in `to`. For values that are ' +
        'secret or too large, `changed` is true instead.',
      examples: [{ enabled: { from: true, to: false } }]
    },
    address: {
      type: ['string', 'null'],
      description: "The IP address of the requester, or null if the change was made on the service's machine.",
      examples: ['10.0.0.5']
    },
    request_id: {
      type: ['string', 'null'],
      description: "The id of the request in the service's log, or null if there was no request.",
      examples: ['req-1']
    },
    previous_hash: {
      type: 'string',
      description: 'The hash of the previous entry, or zeros in the first entry.',
      examples: ['0'.repeat(64)]
    },
    hash: {
      type: 'string',
      description: 'The SHA-256 hash of all other fields. `npm run audit:verify` checks the chain of hashes.',
      examples: ['a'.repeat(64)]
    }
  }
} as const

/** Serializes an audit entry as JSON. */
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
