import { askerOf, principalOf } from '../../../domain/access/principal.ts'
import { refuseKeyWithoutApps } from '../../../domain/access/transfer.ts'
import { toOwner, TransferQuery } from '../../../domain/apps/owner.ts'
import { AuditQuery, auditReplies, sendAudits } from '../audits/listing.ts'
import { DEFAULT_LIMIT, linkHeader, linkNext, pageQuery } from '../../../http/pages.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { id } from '../../../domain/json/validation.ts'
import { refuseCredentials } from '../../../domain/keys/token-shape.ts'
import {
  organizationFields,
  roleField,
  toMemberJson,
  toOrganizationJson
} from '../../../domain/organizations/representation.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import {
  DescriptiveNameTaken,
  Forbidden,
  InvalidFields,
  LastAdmin,
  OrganizationNotFound,
  OwnerNotFound,
  OwnsApps,
  TooManyApps,
  UserNotFound
} from '../../../domain/errors.ts'

const IdParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { ...id, description: 'The id of the organization.', examples: [1] } }
} as const

const MemberParams = {
  type: 'object',
  required: ['id', 'user_id'],
  properties: { ...IdParams.properties, user_id: { ...id, description: 'The id of the user.', examples: [1] } }
} as const

const PageQuery = { type: 'object', properties: pageQuery('organizations') } as const

const NewBody = { type: 'object', required: ['name', 'billing_email'], properties: organizationFields } as const
const ChangeBody = { type: 'object', properties: organizationFields } as const
const RoleBody = {
  type: 'object',
  required: ['role'],
  properties: {
    role: roleField,
    email: {
      type: 'string',
      maxLength: 254,
      description:
        'The e-mail address of the user: whoever lets somebody in knows it. Client keys, and changes of a role, need none.',
      examples: ['ben@example.com']
    }
  }
} as const

const routes: RoutesPlugin = async fastify => {
  const { organizations, audits } = fastify.stores
  const reading = { scope: 'organizations:read', users: 'any' } as const
  const writing = { scope: 'organizations:write', users: 'any' } as const

  fastify.get(
    '',
    {
      config: reading,
      schema: {
        operationId: 'listOrganizations',
        summary: 'List organizations',
        description:
          'With a client key, all of them; as a user, those that the user belongs to. By page, ordered by id.',
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
    },
    async (request, response) => {
      const { limit = DEFAULT_LIMIT, after = 0 } = request.query
      const page = await organizations.page(limit, after, askerOf(request))
      if (page.more) linkNext(response, page.organizations.at(-1)?.id)
      return page.organizations.map(toOrganizationJson)
    }
  )

  fastify.post(
    '',
    {
      config: writing,
      schema: {
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
    },
    async (request, response) => {
      const { name, billing_email: billingEmail } = request.body
      refuseCredentials({ name, billing_email: billingEmail })
      const made = await organizations.insert({ name, billingEmail }, new Date(), askerOf(request))
      return await response.code(201).header('location', `/organizations/${made.id}`).send(toOrganizationJson(made))
    }
  )

  fastify.get(
    '/:id',
    {
      config: reading,
      schema: {
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
    },
    async request => {
      const found = await organizations.find(request.params.id, askerOf(request))
      if (found === null) throw new OrganizationNotFound()
      return { ...toOrganizationJson(found.organization), users: found.members.map(toMemberJson) }
    }
  )

  for (const method of ['PUT', 'PATCH'] as const) {
    fastify.route({
      method,
      url: '/:id',
      config: writing,
      schema: {
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
      },
      handler: async request => {
        const { name, billing_email: billingEmail } = request.body
        refuseCredentials({ name, billing_email: billingEmail })
        const change = {
          ...(name === undefined ? {} : { name }),
          ...(billingEmail === undefined ? {} : { billingEmail })
        }
        const changed = await organizations.update(request.params.id, change, new Date(), askerOf(request))
        if (changed === null) throw new OrganizationNotFound()
        return toOrganizationJson(changed)
      }
    })
  }

  fastify.delete(
    '/:id',
    {
      config: writing,
      schema: {
        operationId: 'deleteOrganization',
        summary: 'Delete an organization',
        description:
          'For its admins. One that owns apps is deleted only where `transfer_to` names another owner for them.',
        tags: ['Organizations'],
        params: IdParams,
        querystring: TransferQuery,
        response: {
          204: noContent('The organization is deleted.'),
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
    },
    async (request, response) => {
      const { transfer_to: to } = request.query
      if (to !== undefined) refuseKeyWithoutApps(principalOf(request))
      if (
        !(await organizations.remove(
          request.params.id,
          to === undefined ? null : toOwner(to),
          new Date(),
          askerOf(request)
        ))
      ) {
        throw new OrganizationNotFound()
      }
      return await response.code(204).send(null)
    }
  )

  fastify.put(
    '/:id/users/:user_id',
    {
      config: writing,
      schema: {
        operationId: 'setOrganizationRole',
        summary: 'Set the role of a user in an organization',
        description: `Lets the user in, where they do not belong to it yet: a user who does so names their e-mail address as well. For its admins. The last admin
can not be made less.`,
        tags: ['Organizations'],
        params: MemberParams,
        body: RoleBody,
        response: {
          200: reply('The user in the organization.', 'Member'),
          ...problemReplies(OrganizationNotFound, UserNotFound, Forbidden, LastAdmin, InvalidFields)
        }
      }
    },
    async request => {
      const { params, body } = request
      const member = await organizations.setRole(
        params.id,
        params.user_id,
        body.role,
        body.email?.toLowerCase() ?? null,
        new Date(),
        askerOf(request)
      )
      if (member === null) throw new OrganizationNotFound()
      return toMemberJson(member)
    }
  )

  fastify.delete(
    '/:id/users/:user_id',
    {
      config: writing,
      schema: {
        operationId: 'removeOrganizationUser',
        summary: 'Remove a user from an organization',
        description: 'For its admins, and for users who leave. The last admin can not be removed.',
        tags: ['Organizations'],
        params: MemberParams,
        response: {
          204: noContent('The user does not belong to it any more.'),
          ...problemReplies(OrganizationNotFound, UserNotFound, Forbidden, LastAdmin, InvalidFields)
        }
      }
    },
    async (request, response) => {
      const { params } = request
      if ((await organizations.removeMember(params.id, params.user_id, new Date(), askerOf(request))) === null) {
        throw new OrganizationNotFound()
      }
      return await response.code(204).send(null)
    }
  )

  fastify.get(
    '/:id/audits',
    {
      config: { scope: 'audits:read', users: 'any' },
      schema: {
        operationId: 'listOrganizationAudits',
        summary: 'List what was done to an organization',
        description: 'The newest first, by page. For its admins.',
        tags: ['Audits'],
        params: IdParams,
        querystring: AuditQuery,
        response: { ...auditReplies, ...problemReplies(OrganizationNotFound, Forbidden, InvalidFields) }
      }
    },
    async (request, response) => {
      const { params, query } = request
      await organizations.mustAdminister(params.id, askerOf(request))
      return await sendAudits(audits, { subjectType: 'organization', subjectId: String(params.id) }, query, response)
    }
  )
}

export default routes
