import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  ClientKeyNotFound,
  ClientKeyRevoked,
  EnvironmentKeyFixed,
  IdempotencyKeyReused,
  InvalidFields,
  SecretNotShared,
  TooManyTokens
} from '../../../domain/errors.ts'
import { RotateBody } from '../../../http/representations/key-fields.ts'
import { toTokenJson } from '../../../http/representations/keys.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { changedReplies, sendChanged } from './changed.ts'
import { IdempotencyHeaders, IdParams, noStore, retryableOf } from './fields.ts'
import { DEFAULT_GRACE_SECONDS } from '../../../domain/keys/lifecycle/tokens.ts'

const schema = {
  operationId: 'rotateClientKey',
  summary: 'Rotate a client key',
  description: `Adds a token, and has the older ones expire when the grace is over: a day from now by default, 30 days
at most, at once with 0. The
body may be left out. The reply has the new token, which can not be shown again, and tells of each older one when and
from where it was last used.`,
  tags: ['Client keys'],
  params: IdParams,
  headers: IdempotencyHeaders,
  body: RotateBody,
  response: {
    ...changedReplies('The key, with the secrets of its new token.', 'RotatedClientKey', noStore),
    ...problemReplies(
      BeyondPermissionBoundary,
      ClientKeyNotFound,
      ClientKeyRevoked,
      EnvironmentKeyFixed,
      TooManyTokens,
      InvalidFields,
      IdempotencyKeyReused,
      SecretNotShared
    )
  }
} as const

const routes: RoutesPlugin = async fastify => {
  const config = { scope: 'client_keys:write', users: 'admin', optionalBody: true } as const
  fastify.post('/:id/rotate', { config, schema }, async (request, response) => {
    const { params, body } = request
    await fastify.keyUsage.settle()
    const rotated = await fastify.clientKeys.rotate(
      params.id,
      { graceSeconds: body.grace_seconds ?? DEFAULT_GRACE_SECONDS, retryable: retryableOf(request) },
      contextOf(request)
    )
    return await sendChanged(response.header('cache-control', 'no-store'), rotated, {
      key_id: rotated.keyId,
      key_access_token: rotated.keyAccessToken,
      older_tokens: rotated.older.map(toTokenJson)
    })
  })
}

export default routes
