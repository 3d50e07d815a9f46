import { contextOf } from '../../../domain/access/principal.ts'
import { Forbidden, InvalidFields, UserNotFound } from '../../../domain/errors.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'

export const permissionsSchema = {
  operationId: 'listUserPermissions',
  summary: 'List what a user was granted',
  description: 'The permits on each app. A user may ask for their own, an administrator for those of anybody.',
  tags: ['Permissions'],
  params: IdParams,
  response: {
    200: { description: 'The permits, an entry an app.', type: 'array', items: { $ref: 'UserPermission#' } },
    ...problemReplies(Forbidden, UserNotFound, InvalidFields)
  }
}

export const listPermissions: Handler<typeof permissionsSchema> = async request => {
  const granted = await request.server.users.grants(request.params.id, contextOf(request))
  return granted.map(({ appId, appName, permits }) => ({ app_id: appId, app_name: appName, permits }))
}
