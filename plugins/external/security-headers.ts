import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fp from 'fastify-plugin'
import helmet from 'helmet'

declare module 'fastify' {
  interface FastifyInstance {
    /** The security headers of every reply. */
    securityHeaders: Readonly<Record<string, string>>
  }
}

/** What Helmet sets: nothing that the API answers is a page, so a page made of it may load and frame nothing. */
const securityHeaders = (): Record<string, string> => {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  const setHeaders = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    frameguard: { action: 'deny' }
  })
  setHeaders(request, response, () => {})
  return Object.fromEntries(Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]))
}

/**
 * Security headers for every reply. They are the same for all, so Helmet is asked once: `@fastify/helmet` makes them
 * anew for each request, which costs more than to authenticate it.
 */
export default fp(
  async fastify => {
    const headers = securityHeaders()
    fastify.decorate('securityHeaders', headers)
    fastify.addHook('onRequest', (_request, reply, done) => {
      reply.headers(headers)
      done()
    })
  },
  { name: 'security-headers' }
)
