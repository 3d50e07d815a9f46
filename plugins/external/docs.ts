import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ownUrl } from '../../http/addresses.ts'
import { lazily } from '../../domain/lazy.ts'

const PREFIX = '/docs'

/**
 * The strictest policy that Swagger UI works with. Swagger UI loads its files from this server, sends requests only to
 * this server, and sets inline styles.
 */
const POLICY = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'connect-src': "'self'",
  'font-src': "'self' data:",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data:",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'"
}

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" ' +
  'fill="#3b4151"/><path d="M7 8h18v4h-7v13h-4V12H7z" fill="#fff"/></svg>'

/** Headers that concern the connection. They aren't copied to the response. */
const CONNECTION_HEADERS = ['connection', 'keep-alive']

/** The headers of conditional requests, which clients send for cached files. */
const CONDITIONAL_HEADERS = ['if-none-match', 'if-modified-since']

/**
 * Loads Swagger UI in a separate application that only serves its files. An empty plugin replaces its dependency
 * `@fastify/swagger`, because other routes serve the OpenAPI document.
 */
const loadUi = async (): Promise<FastifyInstance> => {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const ui = Fastify()
  await ui.register(fp(async () => {}, { name: '@fastify/swagger' }))
  await ui.register(swaggerUi, {
    routePrefix: PREFIX,
    // Keeps the URLs in the page relative, because a proxy may serve the page at another path.
    indexPrefix: '.',
    staticCSP: POLICY,
    uiConfig: {
      deepLinking: true,
      docExpansion: 'list',
      tryItOutEnabled: true,
      persistAuthorization: true,
      // This layout omits the top bar, which shows the Swagger logo and lets users load documents from other servers.
      layout: 'BaseLayout',
      validatorUrl: null
    },
    theme: {
      title: 'Trivial API',
      favicon: [{ filename: 'icon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: ICON }]
    }
  })
  return ui
}

/** Serves Swagger UI at `/docs`. It's loaded on the first request, so that it doesn't delay startup. */
export default fp(
  async fastify => {
    const uiLoaded = lazily(loadUi)

    const serveUi = async ({ url, headers }: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const ui = await uiLoaded()
      const conditions = Object.fromEntries(
        Object.entries(headers).filter(([name]) => CONDITIONAL_HEADERS.includes(name))
      )
      const found = await ui.inject({ url, headers: conditions })
      if (found.statusCode === 404) {
        reply.callNotFound()
        return reply
      }
      const entries = Object.entries(found.headers).filter(([name]) => !CONNECTION_HEADERS.includes(name))
      return await reply.code(found.statusCode).headers(Object.fromEntries(entries)).send(found.rawPayload)
    }

    const hidden = { schema: { hide: true } }
    fastify.get(PREFIX, hidden, serveUi)
    fastify.get(`${PREFIX}/*`, hidden, serveUi)
    fastify.get(`${PREFIX}/static/index.html`, hidden, async (_request, reply) => await reply.redirect('../'))
    fastify.get(`${PREFIX}/json`, hidden, async request => await fastify.openapi(ownUrl(request)))
    fastify.get(`${PREFIX}/yaml`, hidden, async (request, reply) => {
      const { stringify } = await import('yaml')
      reply.type('application/x-yaml')
      return stringify(await fastify.openapi(ownUrl(request)))
    })
  },
  { name: 'docs', dependencies: ['openapi'] }
)
