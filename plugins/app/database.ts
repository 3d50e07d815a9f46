import fp from 'fastify-plugin'
import { openStores } from '../../db/open.ts'
import type { Stores } from '../../db/stores.ts'

declare module 'fastify' {
  interface FastifyInstance {
    stores: Stores
  }
}

/** Opens the stores; closes them when the last request has been answered. */
export default fp(
  async fastify => {
    const stores = openStores(fastify.config.DATABASE_URL)
    fastify.decorate('stores', stores)
    fastify.addHook('onClose', async () => {
      stores.close()
    })
  },
  { name: 'database', dependencies: ['config'] }
)
