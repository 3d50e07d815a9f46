import type { FastifyReply } from 'fastify'
import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  ClientKeyNameTaken,
  ClientKeyNotFound,
  ClientKeyRevoked,
  EnvironmentKeyFixed,
  InvalidFields
} from '../../../domain/errors.ts'
import type { ChangedKey } from '../../../domain/keys/freshness/receipt.ts'
import { ChangeKeyBody, RevokeBody, toKeyChange, toReason } from '../../../http/representations/key-fields.ts'
import { toChangedJson } from '../../../http/representations/keys.ts'
import { locationHeader, setLocation } from '../../../http/links.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './queries.ts'

/** The replies of a change: 200 with its receipt, or 202 where there is none yet. */
export const changedReplies = (description: string, schema = 'ChangedClientKey', headers?: object) => ({
  200: reply(description, schema, headers),
  202: reply(
    'The same, but the database was lost before it could be told whether every node obeys the change.',
    schema,
    { ...headers, ...locationHeader('the receipt', '/receipts/1042-7d7a3c51-6b0f-4a43-9d0e-1f6f0b6b3c55') }
  )
})

/** Sends a key that was changed, and what else the reply has. */
export const sendChanged = async (response: FastifyReply, changed: ChangedKey, more: object = {}): Promise<unknown> => {
  if (changed.receipt === null) setLocation(response.code(202), `/receipts/${changed.receiptId}`)
  return await response.send({ ...toChangedJson(changed), ...more })
}

export const changeSchema = {
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
}

export const changeKey: Handler<typeof changeSchema> = async (request, response) => {
  const { server, params, body } = request
  const change = toKeyChange(body, server.clientKeys.now())
  return await sendChanged(response, await server.clientKeys.change(params.id, change, contextOf(request)))
}

export const revokeSchema = {
  operationId: 'revokeClientKey',
  summary: 'Revoke a client key',
  description: `Stops a key and all its tokens at once and permanently. The body may be left out. To revoke it again
changes nothing: the first reason stays. Environment keys
can be revoked as well, without a restart; their entry in \`CLIENT_KEYS\` should go too. \`receipt\` tells from when on
every node obeys: it is answered once that is so.`,
  tags: ['Client keys'],
  params: IdParams,
  body: RevokeBody,
  response: {
    ...changedReplies('The key, revoked, with the receipt of that.'),
    ...problemReplies(BeyondPermissionBoundary, ClientKeyNotFound, InvalidFields)
  }
}

export const revokeKey: Handler<typeof revokeSchema> = async (request, response) => {
  const { server, params, body } = request
  return await sendChanged(response, await server.clientKeys.revoke(params.id, toReason(body), contextOf(request)))
}
