import { InvalidFields, ReceiptNotFound } from '../../../domain/errors.ts'
import { id } from '../../../http/validation.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { toReceiptJson } from '../../../http/representations/receipts.ts'

const EpochParams = {
  type: 'object',
  required: ['epoch'],
  properties: { epoch: { ...id, description: 'The number of the change.', examples: [1042] } }
} as const

const showSchema = {
  operationId: 'showReceipt',
  summary: 'Show the receipt of a change',
  description: `Tells from when on every node obeys a change of a client key; it is answered once that is so. It is for
who was answered 202, or nothing.`,
  tags: ['Nodes'],
  params: EpochParams,
  response: { 200: reply('The receipt.', 'Receipt'), ...problemReplies(ReceiptNotFound, InvalidFields) }
}

const routes: RoutesPlugin = async fastify => {
  fastify.get('/:epoch', { config: { scope: 'client_keys:read', users: 'admin' }, schema: showSchema }, showReceipt)
}

export default routes

const showReceipt: Handler<typeof showSchema> = async ({ server, params }) =>
  toReceiptJson(await server.receipts.receipt(params.epoch))
