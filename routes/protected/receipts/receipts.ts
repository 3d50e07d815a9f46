import { InvalidFields, ReceiptNotFound } from '../../../domain/errors.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { receiptId, toReceiptJson } from '../../../http/representations/receipts.ts'

const ReceiptParams = {
  type: 'object',
  required: ['id'],
  properties: { id: receiptId }
} as const

const showSchema = {
  operationId: 'showReceipt',
  summary: 'Show the receipt of a change',
  description:
    'Reports when a change of a client key took effect on every node. The reply is sent once it has. Use this if the ' +
    'change was accepted with 202, or if its reply was lost. If a database restore undid a change, the change has no ' +
    'receipt.',
  tags: ['Nodes'],
  params: ReceiptParams,
  response: { 200: reply('The receipt.', 'Receipt'), ...problemReplies(ReceiptNotFound, InvalidFields) }
}

const routes: RoutesPlugin = async fastify => {
  fastify.get('/:id', { config: { scope: 'client_keys:read', users: 'admin' }, schema: showSchema }, showReceipt)
}

export default routes

const showReceipt: Handler<typeof showSchema> = async ({ server, params }) =>
  toReceiptJson(await server.receipts.receipt(params.id))
