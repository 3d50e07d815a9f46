import fp from 'fastify-plugin'
import { identifyRequest } from '../../http/request-ids.ts'

/**
 * Sends the id of each request in its response. If the requester sent an id, adds it to the log lines for the request.
 */
export default fp(
  async fastify => {
    fastify.addHook('onRequest', (request, reply, done) => {
      identifyRequest(request, reply)
      done()
    })
  },
  { name: 'request-ids' }
)
