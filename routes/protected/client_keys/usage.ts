import type { FastifyInstance } from 'fastify'
import { keyPrincipalOf } from '../../../domain/access/principal.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { DAYS_KEPT } from '../../../domain/keys/usage/recorder.ts'
import { toUsageJson } from '../../../http/representations/usage.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { ClientKeyNotFound, InvalidFields } from '../../../domain/errors.ts'
import { IdParams } from './queries.ts'

export const DEFAULT_DAYS = 30

export const days = {
  type: 'integer',
  minimum: 1,
  maximum: DAYS_KEPT,
  description: `The number of days, including today. The default is ${DEFAULT_DAYS}.`
} as const

const Query = {
  type: 'object',
  additionalProperties: false,
  properties: {
    days
  }
} as const

const description =
  "Returns the key's usage for each day in UTC: the number of accepted requests by scope and by IP address, and " +
  `the number of refused requests by reason. Usage is kept for ${DAYS_KEPT} days.`

const reply200 = { 200: reply("The key's usage.", 'ClientKeyUsage') }

export const ownUsageSchema = {
  operationId: 'showOwnClientKeyUsage',
  summary: 'Show the usage of your client key',
  description: `${description} No scope is required.`,
  tags: ['Client keys'],
  querystring: Query,
  response: { ...reply200, ...problemReplies(InvalidFields) }
}

export const usageSchema = {
  operationId: 'showClientKeyUsage',
  summary: 'Show the usage of a client key',
  description,
  tags: ['Client keys'],
  params: IdParams,
  querystring: Query,
  response: { ...reply200, ...problemReplies(ClientKeyNotFound, InvalidFields) }
}

export const showOwnUsage: Handler<typeof ownUsageSchema> = async request =>
  await usageOf(request.server, keyPrincipalOf(request).key.id, request.query.days)

export const showUsage: Handler<typeof usageSchema> = async ({ server, params, query }) =>
  await usageOf(server, params.id, query.days)

const usageOf = async (
  { clientKeys, keyUsage }: Pick<FastifyInstance, 'clientKeys' | 'keyUsage'>,
  id: string,
  days = DEFAULT_DAYS
): Promise<ReturnType<typeof toUsageJson>> => {
  await keyUsage.settle()
  return toUsageJson(id, await clientKeys.usage(id, days))
}
