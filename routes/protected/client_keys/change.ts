import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  ClientKeyNameTaken,
  ClientKeyNotFound,
  ClientKeyRevoked,
  EnvironmentKeyFixed,
  InvalidFields
} from '../../../domain/errors.ts'
import { ChangeKeyBody, toKeyChange } from '../../../http/representations/key-fields.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { changedReplies, sendChanged } from './changed.ts'
import { IdParams } from './fields.ts'

const schema = {
  operationId: 'changeClientKey',
  summary: 'Change a client key',
  description: `Changes the fields that are sent, from the next request on. \`{"enabled":false}\` stops a key until it
is enabled again. Neither the key
as it is nor as it would be may go beyond the caller's own.`,
  tags: ['Client keys'],
  params: IdParams,
  body: ChangeKeyBody,
  response: {
    ...changedReplies('The key as it is now, with the receipt of the change.'),
    ...problemReplies(
      BeyondPermissionBoundary,
      ClientKeyNotFound,
      ClientKeyNameTaken,
      ClientKeyRevoked,
      EnvironmentKeyFixed,
      InvalidFields
    )
  }
} as const

const routes: RoutesPlugin = async fastify => {
  fastify.patch(
    '/:id',
    { config: { scope: 'client_keys:write', users: 'admin' }, schema },
    async (request, response) =>
      await sendChanged(
        response,
        await fastify.clientKeys.change(request.params.id, toKeyChange(request.body), contextOf(request))
      )
  )
}

export default routes
