import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  ClientKeyNameTaken,
  ClientKeyNotFound,
  ClientKeyRevoked,
  EnvironmentKeyFixed,
  InvalidFields
} from '../../../domain/errors.ts'
import { ChangeKeyBody, toKeyChange } from '../../../domain/keys/fields.ts'
import { toKeyJson } from '../../../domain/keys/representation.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
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
    200: reply('The key as it is now.', 'ClientKey'),
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
  fastify.patch('/:id', { config: { scope: 'client_keys:write', users: 'admin' }, schema }, async request =>
    toKeyJson(await fastify.clientKeys.change(request.params.id, toKeyChange(request.body), contextOf(request)))
  )
}

export default routes
