import type { FastifyCorsOptions } from '@fastify/cors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { SESSION_HEADERS, sessionCredential } from '../../http/session-headers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Sets the CORS headers of a reply that no hook sees; null if no origin is allowed. */
    setCorsHeaders: ((request: FastifyRequest, reply: FastifyReply) => void) | null
  }
}

const EXPOSED = [...SESSION_HEADERS, 'link', 'location', 'retry-after', 'x-request-id']

/** Whether a request has a client key, which does not belong in a page. */
const hasKey = ({ headers }: FastifyRequest): boolean =>
  headers.authorization !== undefined && sessionCredential(headers) === null

/**
 * Lets the pages of the origins in `CORS_ORIGINS` call the API for users who are signed in, and read the headers of a
 * session. A request with a client key gets no CORS headers, whatever its origin: keys do not belong in pages.
 */
export default fp(
  async fastify => {
    const origins = fastify.config.CORS_ORIGINS
    if (origins.length === 0) {
      fastify.decorate('setCorsHeaders', null)
      return
    }
    fastify.decorate('setCorsHeaders', (request: FastifyRequest, reply: FastifyReply) => {
      const { origin = '' } = request.headers
      reply.header('vary', 'Origin')
      if (hasKey(request) || !origins.includes(origin)) return
      reply.headers({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': EXPOSED.join(', ')
      })
    })
    await fastify.register(
      import('@fastify/cors'),
      () => (request: FastifyRequest, callback: (error: Error | null, options: FastifyCorsOptions) => void) => {
        callback(null, {
          origin: hasKey(request) ? false : origins,
          methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
          allowedHeaders: [
            'authorization',
            'access-token',
            'client',
            'uid',
            'token-type',
            'expiry',
            'content-type',
            'idempotency-key',
            'x-request-id'
          ],
          exposedHeaders: EXPOSED,
          maxAge: 600,
          strictPreflight: false
        })
      }
    )
  },
  { name: 'cors', dependencies: ['config', 'security-headers'] }
)
