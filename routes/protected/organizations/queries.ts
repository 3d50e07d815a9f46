import { contextOf } from '../../../domain/access/principal.ts'
import { InvalidFields, OrganizationNotFound } from '../../../domain/errors.ts'
import { linkHeader } from '../../../http/links.ts'
import { DEFAULT_LIMIT, linkNext, pageQuery } from '../../../http/pages.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { toMemberJson, toOrganizationJson } from '../../../http/representations/organizations.ts'
import { id } from '../../../http/validation.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

export const IdParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { ...id, description: 'The id of the organization.', examples: [1] } }
} as const

const PageQuery = { type: 'object', properties: pageQuery('organizations') } as const

export const listSchema = {
  operationId: 'listOrganizations',
  summary: 'List organizations',
  description:
    'Lists organizations in pages, ordered by id. With a client key, the list contains all organizations. With a ' +
    'session, it contains those that the user belongs to. The `Link` header contains the URL of the next page.',
  tags: ['Organizations'],
  querystring: PageQuery,
  response: {
    200: {
      description: 'A page of organizations.',
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

export const showSchema = {
  operationId: 'showOrganization',
  summary: 'Show an organization',
  description: 'Returns an organization with its users. Users can see the organizations that they belong to.',
  tags: ['Organizations'],
  params: IdParams,
  response: {
    200: reply('The organization.', 'OrganizationWithUsers'),
    ...problemReplies(OrganizationNotFound, InvalidFields)
  }
}

export const showOrganization: Handler<typeof showSchema> = async request => {
  const { server, params } = request
  const { organization, members } = await server.organizations.find(params.id, contextOf(request))
  return { ...toOrganizationJson(organization), users: members.map(toMemberJson) }
}
