import { contextOf } from '../../../domain/access/principal.ts'
import { BeyondPermissionBoundary, ClientKeyNotFound, InvalidFields } from '../../../domain/errors.ts'
import { RevokeBody, toReason } from '../../../http/representations/key-fields.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { changedReplies, sendChanged } from './changed.ts'
import { IdParams } from './fields.ts'

const schema = {
  operationId: 'revokeClientKey',
  summary: 'Revoke a client key',
  description: `Stops a key and all its tokens at once and permanently. The body may be left out. To revoke it again
changes nothing: the first reason stays. Environment keys
can be revoked as well; no restart is needed. \`receipt\` tells from when on every node obeys: it is
answered once that is so.`,
  tags: ['Client keys'],
  params: IdParams,
  body: RevokeBody,
  response: {
    ...changedReplies('The key, revoked, with the receipt of that.'),
    ...problemReplies(BeyondPermissionBoundary, ClientKeyNotFound, InvalidFields)
  }
} as const

const routes: RoutesPlugin = async fastify => {
  const config = { scope: 'client_keys:write', users: 'admin', optionalBody: true } as const
  fastify.post(
    '/:id/revoke',
    { config, schema },
    async (request, response) =>
      await sendChanged(
        response,
        await fastify.clientKeys.revoke(request.params.id, toReason(request.body), contextOf(request))
      )
  )
}

export default routes
