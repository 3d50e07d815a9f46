import { keyPrincipalOf } from '../../../domain/access/principal.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { DAYS_KEPT } from '../../../domain/keys/usage/recorder.ts'
import { toUsageJson } from '../../../http/representations/usage.ts'
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

const description = `Day by day (UTC): how many requests under each scope and from each address were accepted, and how
many were refused, by reason. Kept for ${DAYS_KEPT} days.`

const reply200 = { 200: reply('How the key was used.', 'ClientKeyUsage') }

const ownSchema = {
  operationId: 'showOwnClientKeyUsage',
  summary: 'Show how the key that is presented is used',
  description: `${description} Any key may ask.`,
  tags: ['Client keys'],
  querystring: Query,
  response: { ...reply200, ...problemReplies(InvalidFields) }
} as const

const schema = {
  operationId: 'showClientKeyUsage',
  summary: 'Show how a client key is used',
  description,
  tags: ['Client keys'],
  params: IdParams,
  querystring: Query,
  response: { ...reply200, ...problemReplies(ClientKeyNotFound, InvalidFields) }
} as const

const routes: RoutesPlugin = async fastify => {
  const usageOf = async (id: string, days = DEFAULT_DAYS): Promise<ReturnType<typeof toUsageJson>> => {
    await fastify.keyUsage.settle()
    return toUsageJson(id, await fastify.clientKeys.usage(id, days))
  }

  fastify.get(
    '/me/usage',
    { config: { scope: null, users: 'none' }, schema: ownSchema },
    async request => await usageOf(keyPrincipalOf(request).key.id, request.query.days)
  )

  fastify.get(
    '/:id/usage',
    { config: { scope: 'client_keys:read', users: 'admin' }, schema },
    async ({ params, query }) => await usageOf(params.id, query.days)
  )
}

export default routes
