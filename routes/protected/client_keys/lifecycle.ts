import { problemReplies, reply } from '../../../http/replies.ts'
import { DEFAULT_GRACE_SECONDS, RevokeBody, RotateBody, toReason } from '../../../domain/keys/fields.ts'
import { toKeyJson, toTokenJson } from '../../../domain/keys/representation.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import {
  BeyondCeiling,
  ClientKeyNotFound,
  ClientKeyRevoked,
  EnvironmentKeyFixed,
  IdempotencyKeyReused,
  InvalidFields,
  TooManyTokens
} from '../../../domain/errors.ts'
import { authorOf, IdempotencyHeaders, IdParams, noStore, retryableOf } from './fields.ts'

const routes: RoutesPlugin = async fastify => {
  const { clientKeys, keyEvidence } = fastify

  fastify.post(
    '/:id/rotate',
    {
      config: { scope: 'client_keys:write', users: 'admin', optionalBody: true },
      schema: {
        operationId: 'rotateClientKey',
        summary: 'Rotate a client key',
        description: `Adds a token, and has the older ones die when the grace is over: a day from now by default, 30 days at most, at once with 0. The
body may be left out. The reply has the new token, which nobody can show again, and tells of each older one when and from where it was last used.`,
        tags: ['Client keys'],
        params: IdParams,
        headers: IdempotencyHeaders,
        body: RotateBody,
        response: {
          200: reply('The key, with the secrets of its new token.', 'RotatedClientKey', noStore),
          ...problemReplies(
            BeyondCeiling,
            ClientKeyNotFound,
            ClientKeyRevoked,
            EnvironmentKeyFixed,
            TooManyTokens,
            InvalidFields,
            IdempotencyKeyReused
          )
        }
      }
    },
    async (request, response) => {
      const {
        params: { id },
        body: { grace_seconds: grace = DEFAULT_GRACE_SECONDS }
      } = request
      await keyEvidence.settle()
      const { key, keyId, keyAccessToken, older } = await clientKeys.rotate(
        id,
        grace,
        authorOf(request),
        retryableOf(request)
      )
      return await response.header('cache-control', 'no-store').send({
        ...toKeyJson(key),
        key_id: keyId,
        key_access_token: keyAccessToken,
        older_tokens: older.map(toTokenJson)
      })
    }
  )

  fastify.post(
    '/:id/revoke',
    {
      config: { scope: 'client_keys:write', users: 'admin', optionalBody: true },
      schema: {
        operationId: 'revokeClientKey',
        summary: 'Revoke a client key',
        description: `Stops a key and all its tokens at once and for good. The body may be left out. To revoke it again changes nothing: the first reason stays. Environment keys
can be revoked as well; no restart is needed.`,
        tags: ['Client keys'],
        params: IdParams,
        body: RevokeBody,
        response: {
          200: reply('The key, revoked.', 'ClientKey'),
          ...problemReplies(BeyondCeiling, ClientKeyNotFound, InvalidFields)
        }
      }
    },
    async request => toKeyJson(await clientKeys.revoke(request.params.id, toReason(request.body), authorOf(request)))
  )
}

export default routes
