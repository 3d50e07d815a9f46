import type { FastifyCorsOptions } from '@fastify/cors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { SESSION_HEADERS, sessionCredential } from '../../http/session-headers.ts'
import { sendProblem } from '../app/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Sets the CORS headers of a response for which no hooks run. Null if no origins are allowed. */
    setCorsHeaders: ((request: FastifyRequest, reply: FastifyReply) => void) | null
  }
}

const ALLOWED = [
  'authorization',
  'access-token',
  'client',
  'uid',
  'token-type',
  'expiry',
  'content-type',
  'idempotency-key',
  'x-request-id'
]

const EXPOSED = [...SESSION_HEADERS, 'link', 'location', 'retry-after', 'x-request-id']

/** Returns whether a request contains a client key, which web pages must not use. */
const hasKey = ({ headers }: FastifyRequest): boolean =>
  headers.authorization !== undefined && sessionCredential(headers) === null

/**
 * Allows pages from the origins in `CORS_ORIGINS` to call the API for signed-in users, and to read the session headers.
 * Responses to requests with a client key have no CORS headers, because pages must not contain client keys.
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
    // @fastify/cors adds a route for OPTIONS before the service's error handler is set.
    fastify.addHook('onRoute', route => {
      if (route.url === '*') route.errorHandler = sendProblem
    })
    await fastify.register(
      import('@fastify/cors'),
      () => (request: FastifyRequest, callback: (error: Error | null, options: FastifyCorsOptions) => void) => {
        callback(null, {
          origin: hasKey(request) ? false : origins,
          methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
          allowedHeaders: ALLOWED,
          exposedHeaders: EXPOSED,
          maxAge: 600,
          strictPreflight: false
        })
      }
    )
  },
  { name: 'cors', dependencies: ['config', 'security-headers'] }
)
