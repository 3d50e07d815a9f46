import { contextOf } from '../../../domain/access/principal.ts'
import { InvalidFields } from '../../../domain/errors.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { organizationFields, toOrganizationJson } from '../../../http/representations/organizations.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

const NewBody = { type: 'object', required: ['name', 'billing_email'], properties: organizationFields } as const

export const createSchema = {
  operationId: 'createOrganization',
  summary: 'Create an organization',
  description:
    'A user who makes one becomes its admin. A client key belongs to nobody: it names the first admin afterwards.',
  tags: ['Organizations'],
  body: NewBody,
  response: {
    201: reply('The new organization.', 'Organization', {
      Location: {
        type: 'string',
        description: 'The path of the new organization.',
        examples: ['/organizations/4']
      }
    }),
    ...problemReplies(InvalidFields)
  }
}

export const createOrganization: Handler<typeof createSchema> = async (request, response) => {
  const { name, billing_email: billingEmail } = request.body
  refuseCredentials({ name, billing_email: billingEmail })
  const made = await request.server.organizations.create({ name, billingEmail }, contextOf(request))
  return await response.code(201).header('location', `/organizations/${made.id}`).send(toOrganizationJson(made))
}
