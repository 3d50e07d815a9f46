import type { FastifyPluginAsync } from 'fastify'
import { problemReplies } from '../../http/replies.ts'
import { ServiceUnavailable } from '../../domain/errors.ts'

const Status = {
  description: 'It is.',
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', examples: ['ok'] } }
}

const routes: FastifyPluginAsync = async fastify => {
  fastify.get(
    '/up',
    {
      schema: {
        operationId: 'isUp',
        summary: 'Is the service alive?',
        description: 'Answers as soon as the service runs. It asks nothing of the database.',
        tags: ['Health'],
        security: [],
        response: { 200: Status }
      }
    },
    async () => ({ status: 'ok' })
  )

  fastify.get(
    '/ready',
    {
      schema: {
        operationId: 'isReady',
        summary: 'Is the service ready?',
        description: 'Answers when the database does.',
        tags: ['Health'],
        security: [],
        response: { 200: Status, ...problemReplies(ServiceUnavailable) }
      }
    },
    async () => {
      try {
        await fastify.storage.ping()
      } catch (cause) {
        throw new ServiceUnavailable({ cause })
      }
      return { status: 'ok' }
    }
  )
}

export default routes
