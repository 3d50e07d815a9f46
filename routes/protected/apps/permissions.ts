import { askerOf } from '../../../domain/access/principal.ts'
import { PERMITS } from '../../../domain/access/rules.ts'
import type { Permit } from '../../../domain/access/rules.ts'
import { toAppKey } from '../../../domain/apps/owner.ts'
import type { AppGrant } from '../../../domain/apps/store.ts'
import { AuditQuery, auditReplies, sendAudits } from '../audits/listing.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import { id } from '../../../domain/json/validation.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import {
  AppNotFound,
  DescriptiveNameTaken,
  Forbidden,
  InvalidFields,
  OwnerNotFound,
  UserNotFound
} from '../../../domain/errors.ts'
import { sendApp } from './fields.ts'

const permits = Object.keys(PERMITS) as Permit[]

const app = {
  type: 'string',
  description: 'The id of the app, or its name of 14 hexadecimal digits.',
  examples: ['1']
} as const

const AppParams = { type: 'object', required: ['id'], properties: { id: app } } as const
const UserParams = {
  type: 'object',
  required: ['id', 'user_id'],
  properties: { id: app, user_id: { ...id, description: 'The id of the user.', examples: [2] } }
} as const
const PermitParams = {
  type: 'object',
  required: ['id', 'user_id', 'permit'],
  properties: {
    ...UserParams.properties,
    permit: { type: 'string', enum: permits, description: 'What is granted or revoked.', examples: ['read'] }
  }
} as const
const OwnerParams = {
  type: 'object',
  required: ['id', 'owner_type', 'owner_id'],
  properties: {
    id: app,
    owner_type: {
      type: 'string',
      enum: ['User', 'Organization'],
      description: 'What the new owner is.',
      examples: ['Organization']
    },
    owner_id: { ...id, description: 'The id of the new owner.', examples: [1] }
  }
} as const

const toJson = (grant: AppGrant | null) => {
  if (grant === null) throw new AppNotFound()
  return { user_id: grant.userId, permits: grant.permits }
}

const routes: RoutesPlugin = async fastify => {
  const { apps, audits } = fastify.stores
  const now = (): string => new Date().toISOString()

  fastify.get(
    '/:id/permissions',
    {
      config: { scope: 'apps:read', users: 'any' },
      schema: {
        operationId: 'listAppPermissions',
        summary: 'List what users were granted on an app',
        description: 'For those who may administer the app, or grant or revoke permits on it.',
        tags: ['Permissions'],
        params: AppParams,
        response: {
          200: { description: 'The permits, an entry a user.', type: 'array', items: { $ref: 'AppPermission#' } },
          ...problemReplies(AppNotFound, Forbidden)
        }
      }
    },
    async request => {
      const grants = await apps.grants(toAppKey(request.params.id), askerOf(request))
      if (grants === null) throw new AppNotFound()
      return grants.map(toJson)
    }
  )

  for (const [method, are] of [
    ['POST', 'granted'],
    ['DELETE', 'revoked']
  ] as const) {
    const verb = are === 'granted' ? 'Grant' : 'Revoke'
    const description =
      are === 'granted'
        ? 'Nobody grants what they may not do themselves. What was granted already stays.'
        : 'What was not granted is no fault.'
    const response = {
      200: reply('What the user may do with the app now, by grants.', 'AppPermission'),
      ...problemReplies(AppNotFound, UserNotFound, Forbidden, InvalidFields)
    }

    fastify.route({
      method,
      url: '/:id/permission/:permit/users/:user_id',
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: `${verb.toLowerCase()}Permit`,
        summary: `${verb} a permit`,
        description,
        tags: ['Permissions'],
        params: PermitParams,
        response
      },
      handler: async request => {
        const { id, permit, user_id: userId } = request.params
        return toJson(await apps.setGrants(toAppKey(id), userId, [permit], are, now(), askerOf(request)))
      }
    })

    fastify.route({
      method,
      url: '/:id/permissions/users/:user_id',
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: `${verb.toLowerCase()}AllPermits`,
        summary: `${verb} every permit`,
        description,
        tags: ['Permissions'],
        params: UserParams,
        response
      },
      handler: async request => {
        const { id, user_id: userId } = request.params
        return toJson(await apps.setGrants(toAppKey(id), userId, permits, are, now(), askerOf(request)))
      }
    })
  }

  fastify.put(
    '/:id/transfer/:owner_type/:owner_id',
    {
      config: { scope: 'apps:write', users: 'any' },
      schema: {
        operationId: 'transferApp',
        summary: 'Give an app to another owner',
        description:
          'A user may give it to themselves, or to an organization of which they are an admin or a member; a client key to anyone.',
        tags: ['Permissions'],
        params: OwnerParams,
        response: {
          200: reply('The app, with its new owner.', 'App'),
          ...problemReplies(AppNotFound, Forbidden, DescriptiveNameTaken, OwnerNotFound, InvalidFields)
        }
      }
    },
    async (request, response) => {
      const { id, owner_type: type, owner_id: ownerId } = request.params
      const moved = await apps.transfer(toAppKey(id), { type, id: ownerId }, now(), askerOf(request))
      return await sendApp(response, moved)
    }
  )

  fastify.get(
    '/:id/audits',
    {
      config: { scope: 'audits:read', users: 'any' },
      schema: {
        operationId: 'listAppAudits',
        summary: 'List what was done to an app',
        description:
          'The newest first, by page; also of an app that was deleted. For its owner, and the admins of the organization that owns it.',
        tags: ['Audits'],
        params: AppParams,
        querystring: AuditQuery,
        response: { ...auditReplies, ...problemReplies(AppNotFound, Forbidden, InvalidFields) }
      }
    },
    async (request, response) => {
      const name = await apps.nameFor(toAppKey(request.params.id), 'administer', askerOf(request))
      if (name === null) throw new AppNotFound()
      return await sendAudits(audits, { subjectType: 'app', subjectId: name }, request.query, response)
    }
  )
}

export default routes
