import { contextOf } from '../../../domain/access/principal.ts'
import { Forbidden, InvalidFields, LastAdmin, OrganizationNotFound, UserNotFound } from '../../../domain/errors.ts'
import { roleField, toMemberJson } from '../../../http/representations/organizations.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { id } from '../../../http/validation.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './queries.ts'

const MemberParams = {
  type: 'object',
  required: ['id', 'user_id'],
  properties: { ...IdParams.properties, user_id: { ...id, description: 'The id of the user.', examples: [1] } }
} as const

const RoleBody = {
  type: 'object',
  required: ['role'],
  properties: {
    role: roleField,
    email: {
      type: 'string',
      maxLength: 254,
      description:
        "The user's e-mail address. It is required if a user adds another user to the organization. It is not " +
        'required with a client key, or to change a role.',
      examples: ['ben@example.com']
    }
  }
} as const

export const setRoleSchema = {
  operationId: 'setOrganizationRole',
  summary: 'Set the role of a user in an organization',
  description:
    'Changes the role of the user, or adds them if they do not belong to the organization yet. To add someone, a ' +
    "user must also send that person's e-mail address. The role of the last admin cannot be changed. Available to " +
    'the admins of the organization.',
  tags: ['Organizations'],
  params: MemberParams,
  body: RoleBody,
  response: {
    200: reply('The user, with their role.', 'Member'),
    ...problemReplies(OrganizationNotFound, UserNotFound, Forbidden, LastAdmin, InvalidFields)
  }
}

export const setRole: Handler<typeof setRoleSchema> = async request => {
  const { server, params, body } = request
  const wanted = { userId: params.user_id, role: body.role, email: body.email?.toLowerCase() ?? null }
  return toMemberJson(await server.organizations.setRole(params.id, wanted, contextOf(request)))
}

export const removeMemberSchema = {
  operationId: 'removeOrganizationUser',
  summary: 'Remove a user from an organization',
  description:
    'Removes the user. The last admin cannot be removed. Available to the admins of the organization, and to users ' +
    'who remove themselves.',
  tags: ['Organizations'],
  params: MemberParams,
  response: {
    204: noContent('The user no longer belongs to the organization.'),
    ...problemReplies(OrganizationNotFound, UserNotFound, Forbidden, LastAdmin, InvalidFields)
  }
}

const UserQuery = {
  type: 'object',
  additionalProperties: false,
  required: ['user_id'],
  properties: { user_id: MemberParams.properties.user_id }
} as const

export const deleteRoleSchema = {
  operationId: 'deleteOrganizationRole',
  summary: "Remove a user from an organization (for Trivial's clients)",
  description: 'Does the same as `DELETE /organizations/{id}/users/{user_id}`.',
  tags: ['Organizations'],
  params: IdParams,
  querystring: UserQuery,
  response: removeMemberSchema.response
}

export const deleteRole: Handler<typeof deleteRoleSchema> = async (request, response) => {
  const { server, params, query } = request
  await server.organizations.removeMember(params.id, query.user_id, contextOf(request))
  return await response.code(204).send(null)
}

export const removeMember: Handler<typeof removeMemberSchema> = async (request, response) => {
  const { server, params } = request
  await server.organizations.removeMember(params.id, params.user_id, contextOf(request))
  return await response.code(204).send(null)
}
