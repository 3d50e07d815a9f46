import type { NodeState } from '../../domain/keys/freshness/nodes.ts'

export const NodeJson = {
  $id: 'Node',
  type: 'object',
  required: ['id', 'name', 'version', 'started_at', 'generations', 'epoch', 'behind', 'lease_ms', 'evicted_at'],
  properties: {
    id: { type: 'string', format: 'uuid', examples: ['7f0c7f0e-2f0a-4f4e-9d4e-6a1f0f6f1c11'] },
    name: { type: 'string', description: 'The `NODE_NAME` of the node.', examples: ['api-1'] },
    version: { type: 'string', description: 'The version of the service that the node runs.', examples: ['0.1.0'] },
    started_at: { type: 'string', format: 'date-time', examples: ['2026-01-05T09:00:00.000Z'] },
    generations: {
      type: 'array',
      items: { type: 'string' },
      description:
        "The generations of the node's secrets. The first belongs to its `CLIENT_SECRET`, which seals new tokens. " +
        "The others belong to its `CLIENT_SECRET_PREVIOUS`. Empty if the node's version does not report them.",
      examples: [['5e884898', '9f86d081']]
    },
    epoch: {
      type: 'integer',
      description: 'The number of the last change to a client key that the node confirmed.',
      examples: [1042]
    },
    behind: {
      type: 'integer',
      description: 'The number of changes that the node has not confirmed yet.',
      examples: [0]
    },
    lease_ms: {
      type: 'integer',
      description: 'How long the node trusts its cache without contacting the database, in milliseconds.',
      examples: [2000]
    },
    evicted_at: {
      anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }],
      description: 'When the node was evicted because it did not confirm a change in time, or null if it has not been.',
      examples: [null]
    }
  }
} as const

export const toNodeJson = ({
  id,
  name,
  version,
  startedAt,
  generations,
  epoch,
  behind,
  leaseMs,
  evictedAt
}: NodeState) => ({
  id,
  name,
  version,
  started_at: startedAt,
  generations,
  epoch,
  behind,
  lease_ms: leaseMs,
  evicted_at: evictedAt
})
