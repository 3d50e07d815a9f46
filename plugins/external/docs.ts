import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ownUrl } from '../../http/addresses.ts'
import { lazily } from '../../domain/lazy.ts'

const PREFIX = '/docs'

/** What Swagger UI needs and no more: it comes from this server, calls this server, and sets styles on its elements. */
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

/** What concerns the connection of the client, which is another one. */
const OF_THE_CONNECTION = ['connection', 'keep-alive']

/** What a client may say of a file that it has already. */
const CONDITIONS = ['if-none-match', 'if-modified-since']

/**
 * Swagger UI, in an application of its own that only its files are asked of. It needs the plugin that makes the
 * document for nothing but the document, which is served beside it.
 */
const loadUi = async (): Promise<FastifyInstance> => {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const ui = Fastify()
  await ui.register(fp(async () => {}, { name: '@fastify/swagger' }))
  await ui.register(swaggerUi, {
    routePrefix: PREFIX,
    // Makes the URLs in the page relative: a proxy may serve it at another path.
    indexPrefix: '.',
    staticCSP: POLICY,
    uiConfig: {
      deepLinking: true,
      docExpansion: 'list',
      tryItOutEnabled: true,
      persistAuthorization: true,
      // Without the bar of Swagger UI, which shows another's logo and offers to load documents from elsewhere.
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

/** Swagger UI at /docs, to explore the API. It is loaded when it is first asked for, and no start waits for it. */
export default fp(
  async fastify => {
    const uiLoaded = lazily(loadUi)

    const serveUi = async ({ url, headers }: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const ui = await uiLoaded()
      const conditions = Object.fromEntries(Object.entries(headers).filter(([name]) => CONDITIONS.includes(name)))
      const found = await ui.inject({ url, headers: conditions })
      if (found.statusCode === 404) {
        reply.callNotFound()
        return reply
      }
      const entries = Object.entries(found.headers).filter(([name]) => !OF_THE_CONNECTION.includes(name))
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
