import fp from 'fastify-plugin'
import { createServiceCatalog } from '../../domain/services/catalog.ts'
import type { ServiceCatalog } from '../../domain/services/catalog.ts'
import { MAX_SERVICES } from '../../domain/services/checks.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The services whose keys are checked here, as of the current request. */
    serviceCatalog: ServiceCatalog
  }
}

/** Caches the services for requests that need them often, such as introspection. */
export default fp(
  async fastify => {
    const { keyLookup, keys } = fastify.storage
    const read = async () => await keys.read(async ({ services }) => await services.page({ limit: MAX_SERVICES }))
    fastify.decorate('serviceCatalog', createServiceCatalog({ freshness: keyLookup, read }))
  },
  { name: 'service-catalog', dependencies: ['database'] }
)
