import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fp from 'fastify-plugin'
import helmet from 'helmet'

declare module 'fastify' {
  interface FastifyInstance {
    /** The security headers that every response contains. */
    securityHeaders: Readonly<Record<string, string>>
  }
}

/**
 * Returns the headers that Helmet sets. Responses aren't pages, so the policy forbids loading resources and framing.
 */
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
 * Sets the security headers of every response. They're always the same, so Helmet is called only once.
 * `@fastify/helmet` would create them for each request, which takes longer than authenticating the request.
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
