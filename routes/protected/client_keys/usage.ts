import { keyPrincipalOf } from '../../../domain/access/principal.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { DAYS_KEPT } from '../../../domain/keys/evidence.ts'
import { toUsageJson } from '../../../domain/keys/representation.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { ClientKeyNotFound, InvalidFields } from '../../../domain/errors.ts'
import { IdParams } from './fields.ts'

const DEFAULT_DAYS = 30

const Query = {
  type: 'object',
  additionalProperties: false,
  properties: {
    days: {
      type: 'integer',
      minimum: 1,
      maximum: DAYS_KEPT,
      description: `How many days, today included; ${DEFAULT_DAYS} by default.`
    }
  }
} as const

const description = `Day by day (UTC): how many requests under each scope and from each address were let in, and how many were refused, by reason. Kept for ${DAYS_KEPT} days.`

const routes: RoutesPlugin = async fastify => {
  const { clientKeys, keyEvidence } = fastify

  const usageOf = async (id: string, days = DEFAULT_DAYS): Promise<ReturnType<typeof toUsageJson>> => {
    await keyEvidence.settle()
    return toUsageJson(id, await clientKeys.usage(id, days))
  }

  fastify.get(
    '/me/usage',
    {
      config: { scope: null, users: 'none' },
      schema: {
        operationId: 'showOwnClientKeyUsage',
        summary: 'Show how the key that is presented is used',
        description: `${description} Any key may ask.`,
        tags: ['Client keys'],
        querystring: Query,
        response: { 200: reply('What was seen of the key.', 'ClientKeyUsage'), ...problemReplies(InvalidFields) }
      }
    },
    async request => await usageOf(keyPrincipalOf(request).key.id, request.query.days)
  )

  fastify.get(
    '/:id/usage',
    {
      config: { scope: 'client_keys:read', users: 'admin' },
      schema: {
        operationId: 'showClientKeyUsage',
        summary: 'Show how a client key is used',
        description,
        tags: ['Client keys'],
        params: IdParams,
        querystring: Query,
        response: {
          200: reply('What was seen of the key.', 'ClientKeyUsage'),
          ...problemReplies(ClientKeyNotFound, InvalidFields)
        }
      }
    },
    async ({ params, query }) => await usageOf(params.id, query.days)
  )
}

export default routes
