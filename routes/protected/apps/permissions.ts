import { contextOf } from '../../../domain/access/principal.ts'
import { PERMITS } from '../../../domain/access/rules.ts'
import type { Permit } from '../../../domain/access/rules.ts'
import type { AppGrant } from '../../../domain/apps/rows.ts'
import { AppNotFound, Forbidden, InvalidFields, UserNotFound } from '../../../domain/errors.ts'
import { id } from '../../../http/validation.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { AppParams, toAppKey } from './fields.ts'

const permits = Object.keys(PERMITS) as Permit[]

/** The app service's methods that change a user's grants. */
type Verb = 'grant' | 'revoke'

const UserParams = {
  type: 'object',
  required: ['id', 'user_id'],
  properties: { ...AppParams.properties, user_id: { ...id, description: 'The id of the user.', examples: [2] } }
} as const

const PermitParams = {
  type: 'object',
  required: ['id', 'user_id', 'permit'],
  properties: {
    ...UserParams.properties,
    permit: { type: 'string', enum: permits, description: 'The permission to grant or revoke.', examples: ['read'] }
  }
} as const

const toJson = (grant: AppGrant) => ({ user_id: grant.userId, permits: grant.permits })

export const permissionsSchema = {
  operationId: 'listAppPermissions',
  summary: 'List the grants on an app',
  description:
    'Lists the permissions that each user has been granted on the app. Available to users who may administer the ' +
    'app, or grant or revoke permissions on it.',
  tags: ['Permissions'],
  params: AppParams,
  response: {
    200: {
      description: 'The granted permissions, with one entry for each user.',
      type: 'array',
      items: { $ref: 'AppPermission#' }
    },
    ...problemReplies(AppNotFound, Forbidden)
  }
}

export const listPermissions: Handler<typeof permissionsSchema> = async request => {
  const grants = await request.server.apps.grants(toAppKey(request.params.id), contextOf(request))
  return grants.map(toJson)
}

const documentation = {
  grant: {
    title: 'Grant',
    description:
      'Grants permissions on an app to a user. Users can grant only the permissions that they have themselves. ' +
      'Existing grants are kept.'
  },
  revoke: {
    title: 'Revoke',
    description: 'Revokes permissions on an app from a user. Permissions that have not been granted are ignored.'
  }
} as const

const shared = (verb: Verb) => ({
  description: documentation[verb].description,
  tags: ['Permissions'],
  response: {
    200: reply('The permissions that the user has been granted, after the change.', 'AppPermission'),
    ...problemReplies(AppNotFound, UserNotFound, Forbidden, InvalidFields)
  }
})

export const permitSchema = (verb: Verb) => ({
  operationId: `${verb}Permit`,
  summary: `${documentation[verb].title} a permission`,
  params: PermitParams,
  ...shared(verb)
})

export const changePermit =
  (verb: Verb): Handler<ReturnType<typeof permitSchema>> =>
  async request => {
    const { id, permit, user_id: userId } = request.params
    return toJson(await request.server.apps[verb](toAppKey(id), { userId, permits: [permit] }, contextOf(request)))
  }

export const allPermitsSchema = (verb: Verb) => ({
  operationId: `${verb}AllPermits`,
  summary: `${documentation[verb].title} all permissions`,
  params: UserParams,
  ...shared(verb)
})

export const changeAllPermits =
  (verb: Verb): Handler<ReturnType<typeof allPermitsSchema>> =>
  async request => {
    const { id, user_id: userId } = request.params
    return toJson(await request.server.apps[verb](toAppKey(id), { userId, permits }, contextOf(request)))
  }
