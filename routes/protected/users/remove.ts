import { contextOf } from '../../../domain/access/principal.ts'
import { toNewOwner, TransferQuery } from '../../../domain/apps/owner.ts'
import {
  BeyondPermissionBoundary,
  DescriptiveNameTaken,
  Forbidden,
  InvalidFields,
  LastAdmin,
  OwnerNotFound,
  OwnsApps,
  TooManyApps,
  UserNotFound
} from '../../../domain/errors.ts'
import { noContent, problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'

export const removeSchema = {
  operationId: 'deleteUser',
  summary: 'Delete a user',
  description:
    'With the sessions, memberships and grants of the user. Whoever owns apps is deleted only where ' +
    '`transfer_to` names another owner for them.',
  tags: ['Users'],
  params: IdParams,
  querystring: TransferQuery,
  response: {
    204: noContent('The user is deleted.'),
    ...problemReplies(
      UserNotFound,
      BeyondPermissionBoundary,
      Forbidden,
      OwnsApps,
      TooManyApps,
      LastAdmin,
      DescriptiveNameTaken,
      OwnerNotFound,
      InvalidFields
    )
  }
}

export const removeUser: Handler<typeof removeSchema> = async (request, response) => {
  const { server, params, query } = request
  await server.users.remove(params.id, toNewOwner(query), contextOf(request))
  return await response.code(204).send(null)
}
