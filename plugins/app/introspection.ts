import fp from 'fastify-plugin'
import { createIntrospection } from '../../domain/introspection/introspection.ts'
import type { Introspect } from '../../domain/introspection/introspection.ts'
import { createIntrospectionJson } from '../../http/representations/introspection.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers questions about tokens, for other services. */
    introspect: Introspect
    /** Returns an answer as JSON text. */
    toIntrospectionJson: ReturnType<typeof createIntrospectionJson>
  }
}

/** Decides for other services whether tokens are active. */
export default fp(
  async fastify => {
    const { clientKeys, serviceCatalog, config } = fastify
    fastify.decorate('introspect', createIntrospection({ verifyAll: clientKeys.verifyAll, catalog: serviceCatalog }))
    fastify.decorate('toIntrospectionJson', createIntrospectionJson(config.PUBLIC_URL))
  },
  { name: 'introspection', dependencies: ['client-keys', 'service-registry'] }
)
