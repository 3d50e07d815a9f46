import type { FastifyCorsOptions } from '@fastify/cors'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { SESSION_HEADERS, sessionCredential } from '../../http/session-headers.ts'

/**
 * Lets the pages of the origins in `CORS_ORIGINS` call the API for users who are signed in, and read the headers of a
 * session. A request with a client key gets no CORS headers, whatever its origin: keys do not belong in pages.
 */
export default fp(
  async fastify => {
    const origins = fastify.config.CORS_ORIGINS
    if (origins.length === 0) return
    await fastify.register(
      import('@fastify/cors'),
      () => (request: FastifyRequest, callback: (error: Error | null, options: FastifyCorsOptions) => void) => {
        const isKey = request.headers.authorization !== undefined && sessionCredential(request.headers) === null
        callback(null, {
          origin: isKey ? false : origins,
          methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
          allowedHeaders: [
            'authorization',
            'access-token',
            'client',
            'uid',
            'token-type',
            'expiry',
            'content-type',
            'idempotency-key'
          ],
          exposedHeaders: [...SESSION_HEADERS, 'link', 'location', 'retry-after'],
          maxAge: 600,
          strictPreflight: false
        })
      }
    )
  },
  { name: 'cors', dependencies: ['config', 'errors'] }
)
