import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  ClientKeyNameTaken,
  ClientKeyRevoked,
  IdempotencyKeyReused,
  InvalidFields,
  SecretNotShared
} from '../../../domain/errors.ts'
import { NewKeyBody, toKeyChange } from '../../../http/representations/key-fields.ts'
import { toKeyJson } from '../../../http/representations/keys.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { IdempotencyHeaders, noStore, retryableOf } from './fields.ts'

const schema = {
  operationId: 'issueClientKey',
  summary: 'Issue a client key',
  description: `Makes a key that is active at once. Its \`key_id\` and \`key_access_token\` are in this reply and
nowhere else: they can not be shown
again. A key can't give what it lacks: a scope, an address range, an expiry or a rate beyond the caller's own is
refused.`,
  tags: ['Client keys'],
  headers: IdempotencyHeaders,
  body: NewKeyBody,
  response: {
    201: reply('The new key, with its secrets.', 'IssuedClientKey', {
      ...noStore,
      Location: {
        type: 'string',
        description: 'The path of the new key.',
        examples: ['/client_keys/0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11']
      }
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
} as const

const routes: RoutesPlugin = async fastify => {
  fastify.post('', { config: { scope: 'client_keys:write', users: 'admin' }, schema }, async (request, response) => {
    const wanted = { ...toKeyChange(request.body), name: request.body.name }
    const issued = await fastify.clientKeys.issue(wanted, contextOf(request), retryableOf(request))
    return await response
      .code(201)
      .header('cache-control', 'no-store')
      .header('location', `/client_keys/${issued.key.id}`)
      .send({ ...toKeyJson(issued.key), key_id: issued.keyId, key_access_token: issued.keyAccessToken })
  })
}

export default routes
