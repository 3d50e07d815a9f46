import { ClientKeyNotFound } from '../../../domain/errors.ts'
import { toKeyJson, toTokenJson } from '../../../http/representations/keys.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'

const schema = {
  operationId: 'showClientKey',
  summary: 'Show a client key',
  description: 'A key with its tokens: which secret sealed each, until when it is active, and how it was used.',
  tags: ['Client keys'],
  params: IdParams,
  response: { 200: reply('The key.', 'ClientKeyWithTokens'), ...problemReplies(ClientKeyNotFound) }
} as const

const routes: RoutesPlugin = async fastify => {
  const { clientKeys, keyUsage } = fastify
  fastify.get('/:id', { config: { scope: 'client_keys:read', users: 'admin' }, schema }, async ({ params: { id } }) => {
    await keyUsage.settle()
    return { ...toKeyJson(await clientKeys.find(id)), tokens: (await clientKeys.tokens(id)).map(toTokenJson) }
  })
}

export default routes
