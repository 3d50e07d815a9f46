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
  summary: 'Show the receipt for a change',
  description:
    'Waits until a change to a client key has taken effect on every node, and reports when it did. Use this if the ' +
    'reply to the change had status 202 or was lost. A change that was undone by restoring the database has no ' +
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
