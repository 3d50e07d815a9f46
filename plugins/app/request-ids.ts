import fp from 'fastify-plugin'
import { identifyRequest } from '../../http/request-ids.ts'

/** Sends the id of each request with its reply, and adds the id that the requester sent to the log. */
export default fp(
  async fastify => {
    fastify.addHook('onRequest', (request, reply, done) => {
      identifyRequest(request, reply)
      done()
    })
  },
  { name: 'request-ids' }
)
