import { contextOf } from '../../../domain/access/principal.ts'
import { Forbidden, InvalidFields, UserNotFound } from '../../../domain/errors.ts'
import { linkHeader } from '../../../http/links.ts'
import { DEFAULT_LIMIT, linkNext, pageQuery } from '../../../http/pages.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { toUserGrantJson, toUserPermissionsJson } from '../../../http/representations/permissions.ts'
import { toUserJson } from '../../../http/representations/users.ts'
import { id } from '../../../http/validation.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

export const IdParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { ...id, description: 'The id of the user.', examples: [1] } }
} as const

const PageQuery = { type: 'object', properties: pageQuery('users') } as const

export const listSchema = {
  operationId: 'listUsers',
  summary: 'List users',
  description: 'Lists users in pages, ordered by id. The `Link` header contains the URL of the next page.',
  tags: ['Users'],
  querystring: PageQuery,
  response: {
    200: {
      description: 'A page of users.',
      headers: linkHeader('</users?after=100>; rel="next"'),
      content: { 'application/json': { schema: { type: 'array', items: { $ref: 'User#' } } } }
    },
    ...problemReplies(InvalidFields)
  }
}

export const listUsers: Handler<typeof listSchema> = async (request, response) => {
  const { limit = DEFAULT_LIMIT, after = 0 } = request.query
  const { users, more } = await request.server.users.page({ limit, after })
  if (more) linkNext(response, users.at(-1)?.id)
  return users.map(toUserJson)
}

export const showSchema = {
  operationId: 'showUser',
  summary: 'Show a user',
  description: 'Returns the user with this id.',
  tags: ['Users'],
  params: IdParams,
  response: { 200: reply('The user.', 'User'), ...problemReplies(UserNotFound, InvalidFields) }
}

export const showUser: Handler<typeof showSchema> = async ({ server, params }) =>
  toUserJson(await server.users.find(params.id))

const visible = problemReplies(Forbidden, UserNotFound, InvalidFields)

export const permissionsSchema = {
  operationId: 'showUserPermissions',
  summary: 'Show the app permissions of a user',
  description:
    'Lists the apps that the user owns, the apps of the organizations that they administer, and the apps on which ' +
    'they have been granted permissions. Users can request their own permissions, and administrators can request ' +
    'those of any user.',
  tags: ['Permissions'],
  params: IdParams,
  response: { 200: reply('The names of the apps for each permission.', 'UserPermissions'), ...visible }
}

export const showPermissions: Handler<typeof permissionsSchema> = async request =>
  toUserPermissionsJson(await request.server.users.permissions(request.params.id, contextOf(request)))

export const grantsSchema = {
  operationId: 'listUserGrants',
  summary: 'List the grants of a user',
  description:
    'Lists the permissions that the user has been granted on each app. Users can request their own grants, and ' +
    'administrators can request those of any user.',
  tags: ['Permissions'],
  params: IdParams,
  response: {
    200: {
      description: 'The granted permissions, with one entry for each app.',
      type: 'array',
      items: { $ref: 'UserGrant#' }
    },
    ...visible
  }
}

export const listGrants: Handler<typeof grantsSchema> = async request =>
  (await request.server.users.grants(request.params.id, contextOf(request))).map(toUserGrantJson)
