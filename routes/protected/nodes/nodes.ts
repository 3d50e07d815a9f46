import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { toNodeJson } from '../../../http/representations/nodes.ts'

const listSchema = {
  operationId: 'listNodes',
  summary: 'List the nodes',
  description:
    'Lists the processes that use the same PostgreSQL database, with the number of changes that each has not ' +
    'confirmed yet, and the generations of its secrets. The reply to a change to a client key is sent when each ' +
    'node has confirmed the change or its lease has ended. With SQLite, the list contains only the process that ' +
    'sends the reply, because all processes read the same file.',
  tags: ['Nodes'],
  response: { 200: { description: 'The nodes, oldest first.', type: 'array', items: { $ref: 'Node#' } } }
}

const routes: RoutesPlugin = async fastify => {
  fastify.get('', { config: { scope: 'client_keys:read', users: 'admin' }, schema: listSchema }, listNodes)
}

export default routes

const listNodes: Handler<typeof listSchema> = async ({ server }) => (await server.receipts.nodes()).map(toNodeJson)
