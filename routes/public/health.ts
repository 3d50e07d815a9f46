import { ServiceUnavailable } from '../../domain/errors.ts'
import { problemReplies } from '../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../plugins/app/validation.ts'

const Status = {
  description: 'It is.',
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', examples: ['ok'] } }
}

const aliveSchema = {
  operationId: 'isUp',
  summary: 'Is the service alive?',
  description: 'Answers as soon as the service runs. It asks nothing of the database.',
  tags: ['Health'],
  security: [],
  response: { 200: Status }
}

const readySchema = {
  operationId: 'isReady',
  summary: 'Is the service ready?',
  description: 'Answers when the database does.',
  tags: ['Health'],
  security: [],
  response: { 200: Status, ...problemReplies(ServiceUnavailable) }
}

const routes: RoutesPlugin = async fastify => {
  fastify.get('/up', { schema: aliveSchema }, isAlive)
  fastify.get('/ready', { schema: readySchema }, isReady)
}

export default routes

const isAlive: Handler<typeof aliveSchema> = async () => ({ status: 'ok' })

const isReady: Handler<typeof readySchema> = async ({ server }) => {
  try {
    await server.storage.ping()
  } catch (cause) {
    throw new ServiceUnavailable({ cause })
  }
  return { status: 'ok' }
}
