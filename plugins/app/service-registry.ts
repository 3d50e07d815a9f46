import fp from 'fastify-plugin'
import { UserError } from '../../config/user-error.ts'
import { createServiceCatalog } from '../../domain/services/catalog.ts'
import type { ServiceCatalog } from '../../domain/services/catalog.ts'
import { MAX_SERVICES } from '../../domain/services/checks.ts'
import { createServiceRegistry } from '../../domain/services/registry.ts'
import type { ServiceRegistry } from '../../domain/services/registry.ts'
import { logBackground } from '../../http/logging.ts'
import { observed } from '../../http/metrics/observed-store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The services whose requests are authorized with the keys of this service. */
    serviceRegistry: ServiceRegistry
    /** The same services in memory, as of the current request. */
    serviceCatalog: ServiceCatalog
  }
}

/** Manages services, and caches them for requests that need them often, such as introspection. */
export default fp(
  async fastify => {
    const { keyLookup, keys } = fastify.storage
    const store = observed(keys, fastify.metrics)
    const registry = createServiceRegistry({ store, background: logBackground(fastify.log) })
    await refuseReserved(registry)
    fastify.decorate('serviceRegistry', registry)
    const read = async () => await store.read(async ({ services }) => await services.page({ limit: MAX_SERVICES }))
    fastify.decorate('serviceCatalog', createServiceCatalog({ freshness: keyLookup, read }))
  },
  { name: 'service-registry', dependencies: ['database', 'metrics'] }
)

/** Throws if a stored service has a name that this version reserves, because its scopes would be ambiguous. */
const refuseReserved = async (registry: ServiceRegistry): Promise<void> => {
  const [name] = await registry.reserved()
  if (name === undefined) return
  throw new UserError(
    `The database contains a service named ${name}, which is the name of a resource of this API.`,
    `Add the service under another name, give its keys the new scopes, and run: trivial service remove ${name} --force`
  )
}
