import type { FastifyRequest } from 'fastify'
import { contextOf, principalOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  ClientKeyNameTaken,
  ClientKeyNotFound,
  ClientKeyRevoked,
  EnvironmentKeyReadOnly,
  IdempotencyKeyReused,
  InvalidFields,
  SecretNotShared,
  TooManyTokens
} from '../../../domain/errors.ts'
import { canonicalJson } from '../../../domain/json/value.ts'
import type { RetryableRequest } from '../../../domain/keys/lifecycle/idempotency.ts'
import { DEFAULT_GRACE_SECONDS } from '../../../domain/keys/lifecycle/tokens.ts'
import { NewKeyBody, RotateBody, toKeyChange } from '../../../http/representations/key-fields.ts'
import { toKeyJson, toTokenJson } from '../../../http/representations/keys.ts'
import { locationHeader, setLocation } from '../../../http/links.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { changedReplies, sendChanged } from './changes.ts'
import { IdParams } from './queries.ts'

const IdempotencyHeaders = {
  type: 'object',
  properties: {
    // There is no example, because Swagger UI would send it with every request, and each would be a retry of the first.
    'idempotency-key': {
      type: 'string',
      description:
        'A unique value that you choose for this request. If you receive no reply, send the request again with the ' +
        'same value within ten minutes. The request is not executed twice: the token in the lost reply is revoked, ' +
        'and the new reply contains another one.'
    }
  }
} as const

/** The documentation of the header that prevents clients and proxies from storing responses that contain secrets. */
const noStore = {
  'Cache-Control': {
    type: 'string',
    description: 'Always `no-store`: clients and proxies must not store this reply.',
    examples: ['no-store']
  }
} as const

export const issueSchema = {
  operationId: 'issueClientKey',
  summary: 'Issue a client key',
  description:
    'Issues a key that is active immediately. Only this reply contains its `key_id` and `key_access_token`; they ' +
    'cannot be shown again. The scopes, IP addresses, expiry and rate limit of the new key must be within the ' +
    "requester's permission boundary.",
  tags: ['Client keys'],
  headers: IdempotencyHeaders,
  body: NewKeyBody,
  response: {
    201: reply('The new key, with its secrets.', 'IssuedClientKey', {
      ...noStore,
      ...locationHeader('the new key', '/client_keys/0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11')
    }),
    ...problemReplies(
      BeyondPermissionBoundary,
      ClientKeyNameTaken,
      ClientKeyRevoked,
      InvalidFields,
      IdempotencyKeyReused,
      SecretNotShared
    )
  }
}

export const issueKey: Handler<typeof issueSchema> = async (request, response) => {
  const { server, body } = request
  const wanted = { ...toKeyChange(body, server.clientKeys.now()), name: body.name }
  const issued = await server.clientKeys.issue(wanted, contextOf(request), retryableOf(request))
  return await setLocation(response.code(201), `/client_keys/${issued.key.id}`)
    .header('cache-control', 'no-store')
    .send({ ...toKeyJson(issued.key), key_id: issued.keyId, key_access_token: issued.keyAccessToken })
}

export const rotateSchema = {
  operationId: 'rotateClientKey',
  summary: 'Rotate a client key',
  description:
    'Adds a token to the key. The older tokens expire after a grace period, which is one day by default and at ' +
    'most 30 days. If `grace_seconds` is 0, they are revoked immediately. The body is optional. The reply contains ' +
    'the new token, which cannot be shown again, and reports when and from where each older token was last used.',
  tags: ['Client keys'],
  params: IdParams,
  headers: IdempotencyHeaders,
  body: RotateBody,
  response: {
    ...changedReplies('The key, with its new token.', 'RotatedClientKey', noStore),
    ...problemReplies(
      BeyondPermissionBoundary,
      ClientKeyNotFound,
      ClientKeyRevoked,
      EnvironmentKeyReadOnly,
      TooManyTokens,
      InvalidFields,
      IdempotencyKeyReused,
      SecretNotShared
    )
  }
}

export const rotateKey: Handler<typeof rotateSchema> = async (request, response) => {
  const { server, params, body } = request
  await server.keyUsage.settle()
  const rotated = await server.clientKeys.rotate(
    params.id,
    { graceSeconds: body.grace_seconds ?? DEFAULT_GRACE_SECONDS, retryable: retryableOf(request) },
    contextOf(request)
  )
  return await sendChanged(response.header('cache-control', 'no-store'), rotated, {
    key_id: rotated.keyId,
    key_access_token: rotated.keyAccessToken,
    older_tokens: rotated.older.map(toTokenJson)
  })
}

/**
 * Returns the data that identifies retries of a request, or undefined if it has no `Idempotency-Key`. Throws
 * InvalidFields if the header is malformed.
 */
const retryableOf = (request: FastifyRequest): RetryableRequest | undefined => {
  const { 'idempotency-key': idempotencyKey } = request.headers
  if (idempotencyKey === undefined) return undefined
  if (typeof idempotencyKey !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) {
    throw new InvalidFields({ errors: ['Idempotency-Key must have 1 to 255 visible ASCII characters'] })
  }
  const {
    method,
    routeOptions: { url },
    params,
    body
  } = request
  const principal = principalOf(request)
  const requester = principal.kind === 'client_key' ? principal.key.id : `user ${principal.user.id}`
  return { requester, idempotencyKey, request: canonicalJson([method, url, params, body]) }
}
