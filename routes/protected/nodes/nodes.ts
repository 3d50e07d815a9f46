import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { toNodeJson } from '../../../http/representations/nodes.ts'

const listSchema = {
  operationId: 'listNodes',
  summary: 'List the nodes',
  description: `The processes that serve from the same PostgreSQL database: how far behind each is, and which secrets it
has. A change of a client key is answered when each of them has confirmed it, or its lease is over. On SQLite the list
has only the process that answers: every process reads the same file.`,
  tags: ['Nodes'],
  response: { 200: { description: 'The nodes, the oldest first.', type: 'array', items: { $ref: 'Node#' } } }
}

const routes: RoutesPlugin = async fastify => {
  fastify.get('', { config: { scope: 'client_keys:read', users: 'admin' }, schema: listSchema }, listNodes)
}

export default routes

const listNodes: Handler<typeof listSchema> = async ({ server }) => (await server.receipts.nodes()).map(toNodeJson)
