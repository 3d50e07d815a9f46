import { contextOf } from '../../../domain/access/principal.ts'
import { InvalidFields } from '../../../domain/errors.ts'
import { toOrganizationJson } from '../../../http/representations/organizations.ts'
import { DEFAULT_LIMIT, linkHeader, linkNext, pageQuery } from '../../../http/pages.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

const PageQuery = { type: 'object', properties: pageQuery('organizations') } as const

export const listSchema = {
  operationId: 'listOrganizations',
  summary: 'List organizations',
  description: 'With a client key, all of them; as a user, those that the user belongs to. By page, ordered by id.',
  tags: ['Organizations'],
  querystring: PageQuery,
  response: {
    200: {
      description: 'The organizations of a page.',
      headers: linkHeader('</organizations?after=100>; rel="next"'),
      content: { 'application/json': { schema: { type: 'array', items: { $ref: 'Organization#' } } } }
    },
    ...problemReplies(InvalidFields)
  }
}

export const listOrganizations: Handler<typeof listSchema> = async (request, response) => {
  const { limit = DEFAULT_LIMIT, after = 0 } = request.query
  const { organizations, more } = await request.server.organizations.page({ limit, after }, contextOf(request))
  if (more) linkNext(response, organizations.at(-1)?.id)
  return organizations.map(toOrganizationJson)
}
