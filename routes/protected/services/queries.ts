import { InvalidFields, ServiceNotFound } from '../../../domain/errors.ts'
import { cancellationOf } from '../../../http/cancellation.ts'
import { linkHeader } from '../../../http/links.ts'
import { DEFAULT_LIMIT, linkNext, pageQuery } from '../../../http/pages.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { serviceName, toServiceJson } from '../../../http/representations/services.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

export const NameParams = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', description: 'The name of the service.', examples: serviceName.examples } }
} as const

const { limit, after } = pageQuery('services')

const PageQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { limit, after: { type: 'string', maxLength: 100, description: after.description } }
} as const

export const listSchema = {
  operationId: 'listServices',
  summary: 'List services',
  description:
    'Lists the services whose requests are authorized with client keys, and their scopes, ordered by name. The ' +
    '`Link` header contains the URL of the next page.',
  tags: ['Services'],
  querystring: PageQuery,
  response: {
    200: {
      description: 'A page of services.',
      headers: linkHeader('</services?limit=100&after=orders>; rel="next"'),
      content: { 'application/json': { schema: { type: 'array', items: { $ref: 'Service#' } } } }
    },
    ...problemReplies(InvalidFields)
  }
}

export const listServices: Handler<typeof listSchema> = async ({ server, query }, response) => {
  const page = { limit: query.limit ?? DEFAULT_LIMIT, after: query.after }
  const { services, more } = await server.serviceRegistry.page(page, { signal: cancellationOf(response) })
  if (more) linkNext(response, services.at(-1)?.name)
  return services.map(toServiceJson)
}

export const showSchema = {
  operationId: 'showService',
  summary: 'Show a service',
  description: 'Returns a service and its scopes.',
  tags: ['Services'],
  params: NameParams,
  response: { 200: reply('The service.', 'Service'), ...problemReplies(ServiceNotFound) }
}

export const showService: Handler<typeof showSchema> = async ({ server, params }) =>
  toServiceJson(await server.serviceRegistry.find(params.name))
