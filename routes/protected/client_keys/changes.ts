import type { FastifyReply } from 'fastify'
import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  ClientKeyNameTaken,
  ClientKeyNotFound,
  ClientKeyRevoked,
  EnvironmentKeyReadOnly,
  InvalidFields
} from '../../../domain/errors.ts'
import type { ChangedKey, Known } from '../../../domain/keys/freshness/receipt.ts'
import { ChangeKeyBody, RevokeBody, toKeyChange, toReason } from '../../../http/representations/key-fields.ts'
import { toChangedJson } from '../../../http/representations/keys.ts'
import { locationHeader, setLocation } from '../../../http/links.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './queries.ts'

/** Returns the responses to a change: 200 with its receipt, or 202 if there is no receipt yet. */
export const changedReplies = (description: string, schema = 'ChangedClientKey', headers?: object) => ({
  200: reply(description, schema, headers),
  202: reply('The change was made, but the database became unavailable before every node had confirmed it.', schema, {
    ...headers,
    ...locationHeader('the receipt', '/receipts/1042-7d7a3c51-6b0f-4a43-9d0e-1f6f0b6b3c55')
  })
})

/** Sends the reply to a change that was committed. */
export const sendKnown = async (response: FastifyReply, known: Known, json: object): Promise<unknown> => {
  if (known.receipt === null) setLocation(response.code(202), `/receipts/${known.receiptId}`)
  return await response.send(json)
}

/** Sends a changed key, with additional fields. */
export const sendChanged = async (response: FastifyReply, changed: ChangedKey, more: object = {}): Promise<unknown> =>
  await sendKnown(response, changed, { ...toChangedJson(changed), ...more })

export const changeSchema = {
  operationId: 'changeClientKey',
  summary: 'Change a client key',
  description:
    'Changes the fields that are sent. The change applies from the next request. `{"enabled":false}` disables a ' +
    "key until it is enabled again. Neither the current key nor the changed key may exceed the requester's " +
    'permission boundary.',
  tags: ['Client keys'],
  params: IdParams,
  body: ChangeKeyBody,
  response: {
    ...changedReplies('The updated key, with the receipt for the change.'),
    ...problemReplies(
      BeyondPermissionBoundary,
      ClientKeyNotFound,
      ClientKeyNameTaken,
      ClientKeyRevoked,
      EnvironmentKeyReadOnly,
      InvalidFields
    )
  }
}

export const changeKey: Handler<typeof changeSchema> = async (request, response) => {
  const { server, params, body } = request
  const change = toKeyChange(body, server.clientKeys.now())
  return await sendChanged(response, await server.clientKeys.change(params.id, change, contextOf(request)))
}

export const revokeSchema = {
  operationId: 'revokeClientKey',
  summary: 'Revoke a client key',
  description:
    'Revokes a key and all its tokens, immediately and permanently. The body is optional. Revoking a key again ' +
    'changes nothing; the first reason is kept. Environment keys can also be revoked, without a restart. Remove ' +
    'their entry from `CLIENT_KEYS` as well. The reply is sent after the revocation has taken effect on every ' +
    'node; its `receipt` contains the time.',
  tags: ['Client keys'],
  params: IdParams,
  body: RevokeBody,
  response: {
    ...changedReplies('The revoked key, with the receipt for the change.'),
    ...problemReplies(BeyondPermissionBoundary, ClientKeyNotFound, InvalidFields)
  }
}

export const revokeKey: Handler<typeof revokeSchema> = async (request, response) => {
  const { server, params, body } = request
  return await sendChanged(response, await server.clientKeys.revoke(params.id, toReason(body), contextOf(request)))
}
