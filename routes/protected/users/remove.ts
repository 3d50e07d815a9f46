import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  DescriptiveNameTaken,
  InvalidFields,
  LastAdmin,
  OwnerNotFound,
  OwnsApps,
  TooManyApps,
  TransferNotAllowed,
  UserNotFound
} from '../../../domain/errors.ts'
import { noContent, problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'
import { AppsDisposalQuery, toAppsDisposal } from '../../../http/representations/apps-disposal.ts'

export const removeSchema = {
  operationId: 'deleteUser',
  summary: 'Delete a user',
  description:
    'With the sessions, memberships and grants of the user. A user who owns apps is deleted only if the request ' +
    'says what becomes of them. `apps=delete` deletes the apps as well; nothing brings them back. `transfer_to` ' +
    'gives them to another owner; only client keys may send it. A client key needs the scope `apps:write` too ' +
    'for either.',
  tags: ['Users'],
  params: IdParams,
  querystring: AppsDisposalQuery,
  response: {
    204: noContent('The user is deleted.'),
    ...problemReplies(
      UserNotFound,
      BeyondPermissionBoundary,
      TransferNotAllowed,
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
  await server.users.remove(params.id, toAppsDisposal(query), contextOf(request))
  return await response.code(204).send(null)
}
