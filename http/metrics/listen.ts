import { lookup } from 'node:dns/promises'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { createClientErrorHandler, createRefusal } from '../client-errors.ts'
import { limits } from '../limits.ts'
import { asListenError } from '../listen.ts'
import { createRequestIds } from '../request-ids.ts'
import { formProblem } from '../request-form.ts'
import { replaceNodeReplies } from '../node-replies.ts'

/**
 * Serves `GET /metrics` on `METRICS_HOST` and `METRICS_PORT` until the service has closed. Returns the port, or null if
 * `METRICS_PORT` isn't set. Must be called before the service starts listening. Throws a ConfigError if the port can't
 * be used.
 */
export const listenForMetrics = async (fastify: FastifyInstance): Promise<number | null> => {
  const { METRICS_HOST, METRICS_PORT } = fastify.config
  const { metrics } = fastify
  if (metrics === null) return null
  const genReqId = createRequestIds()
  const refuse = createRefusal({ nextId: genReqId, log: () => fastify.log })
  const clientErrorHandler = createClientErrorHandler(refuse)
  // This listener closes after everything else, so it doesn't need to wait for requests.
  const listener = Fastify({ ...limits, genReqId, clientErrorHandler, forceCloseConnections: true })
  replaceNodeReplies(listener.server, refuse)
  listener.setErrorHandler(fastify.errorHandler)
  listener.addHook('onRequest', (request, _reply, done) => {
    done(formProblem(request))
  })
  listener.get('/metrics', async (_request, reply) => {
    const { type, text } = await metrics.render()
    return await reply.type(type).send(text)
  })
  fastify.addHook('onClose', async () => {
    await listener.close()
  })
  try {
    const { address } = await lookup(METRICS_HOST)
    const url = await listener.listen({ host: address, port: Number(METRICS_PORT) })
    fastify.log.info(`Metrics are served at ${url}/metrics`)
    return (listener.server.address() as AddressInfo).port
  } catch (error) {
    await fastify.close()
    throw asListenError(error, ['METRICS_HOST', METRICS_HOST], ['METRICS_PORT', Number(METRICS_PORT)])
  }
}
