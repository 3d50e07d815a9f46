import fp from 'fastify-plugin'
import { createIntrospection } from '../../domain/introspection/introspection.ts'
import type { Introspect } from '../../domain/introspection/introspection.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers questions about tokens, for other services. */
    introspect: Introspect
  }
}

/** Decides for other services whether tokens are active. */
export default fp(
  async fastify => {
    const { clientKeys, serviceCatalog } = fastify
    fastify.decorate('introspect', createIntrospection({ verifyAll: clientKeys.verifyAll, catalog: serviceCatalog }))
  },
  { name: 'introspection', dependencies: ['client-keys', 'service-registry'] }
)
