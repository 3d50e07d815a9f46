import { contextOf } from '../../../domain/access/principal.ts'
import { InvalidFields, OrganizationNotFound } from '../../../domain/errors.ts'
import { toMemberJson, toOrganizationJson } from '../../../http/representations/organizations.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'

export const showSchema = {
  operationId: 'showOrganization',
  summary: 'Show an organization',
  description: 'With the users who belong to it. A user may see those that they belong to.',
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
