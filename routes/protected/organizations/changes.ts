import { contextOf } from '../../../domain/access/principal.ts'
import {
  DescriptiveNameTaken,
  Forbidden,
  InvalidFields,
  OrganizationNotFound,
  OwnerNotFound,
  OwnsApps,
  TooManyApps
} from '../../../domain/errors.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { locationHeader, setLocation } from '../../../http/links.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { AppsDisposalQuery, toAppsDisposal } from '../../../http/representations/apps-disposal.ts'
import { organizationFields, toOrganizationJson } from '../../../http/representations/organizations.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './queries.ts'

const NewBody = {
  type: 'object',
  required: ['name', 'billing_email'],
  properties: organizationFields,
  // If this example is sent unchanged, the name shows where the organization comes from.
  examples: [{ name: 'Created in the documentation', billing_email: 'billing@example.com' }]
} as const

export const createSchema = {
  operationId: 'createOrganization',
  summary: 'Create an organization',
  description:
    'Creates an organization. A user who creates one becomes its admin. A client key does not belong to a user, so ' +
    'it must add the first admin with `PUT /organizations/{id}/users/{user_id}`.',
  tags: ['Organizations'],
  body: NewBody,
  response: {
    201: reply('The new organization.', 'Organization', locationHeader('the new organization', '/organizations/4')),
    ...problemReplies(InvalidFields)
  }
}

export const createOrganization: Handler<typeof createSchema> = async (request, response) => {
  const { name, billing_email: billingEmail } = request.body
  refuseCredentials({ name, billing_email: billingEmail })
  const created = await request.server.organizations.create({ name, billingEmail }, contextOf(request))
  return await setLocation(response.code(201), `/organizations/${created.id}`).send(toOrganizationJson(created))
}

const ChangeBody = { type: 'object', properties: organizationFields } as const

export const updateSchema = (method: 'PUT' | 'PATCH') => ({
  operationId: method === 'PUT' ? 'updateOrganization' : 'patchOrganization',
  summary: method === 'PUT' ? 'Update an organization' : 'Update an organization (PATCH)',
  description:
    'Changes the fields that are sent. PUT and PATCH are equivalent. Available to the admins of the organization.',
  tags: ['Organizations'],
  params: IdParams,
  body: ChangeBody,
  response: {
    200: reply('The updated organization.', 'Organization'),
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

export const removeSchema = {
  operationId: 'deleteOrganization',
  summary: 'Delete an organization',
  description:
    'Deletes the organization. Available to its admins. If the organization owns apps, the request must specify ' +
    'what happens to them. `apps=delete` deletes the apps permanently. `transfer_to` transfers them to another ' +
    'owner; an admin can transfer them to themselves, or to an organization that they belong to. For both options, ' +
    'a client key also needs the scope `apps:write`.',
  tags: ['Organizations'],
  params: IdParams,
  querystring: AppsDisposalQuery,
  response: {
    204: noContent('The organization was deleted.'),
    ...problemReplies(
      OrganizationNotFound,
      Forbidden,
      OwnsApps,
      TooManyApps,
      DescriptiveNameTaken,
      OwnerNotFound,
      InvalidFields
    )
  }
}

export const removeOrganization: Handler<typeof removeSchema> = async (request, response) => {
  const { server, params, query } = request
  await server.organizations.remove(params.id, toAppsDisposal(query), contextOf(request))
  return await response.code(204).send(null)
}
