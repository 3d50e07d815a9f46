import { contextOf } from '../../../domain/access/principal.ts'
import { Forbidden, InvalidFields, OrganizationNotFound } from '../../../domain/errors.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { organizationFields, toOrganizationJson } from '../../../http/representations/organizations.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'

const ChangeBody = { type: 'object', properties: organizationFields } as const

export const updateSchema = (method: 'PUT' | 'PATCH') => ({
  operationId: method === 'PUT' ? 'updateOrganization' : 'patchOrganization',
  summary: method === 'PUT' ? 'Update an organization' : 'Update an organization (PATCH)',
  description: 'Changes the fields that are sent; PUT and PATCH do the same. For its admins.',
  tags: ['Organizations'],
  params: IdParams,
  body: ChangeBody,
  response: {
    200: reply('The organization as it is now.', 'Organization'),
    ...problemReplies(OrganizationNotFound, Forbidden, InvalidFields)
  }
})

export const updateOrganization: Handler<ReturnType<typeof updateSchema>> = async request => {
  const { server, params, body } = request
  const { name, billing_email: billingEmail } = body
  refuseCredentials({ name, billing_email: billingEmail })
  const change = {
    ...(name === undefined ? {} : { name }),
    ...(billingEmail === undefined ? {} : { billingEmail })
  }
  return toOrganizationJson(await server.organizations.update(params.id, change, contextOf(request)))
}
