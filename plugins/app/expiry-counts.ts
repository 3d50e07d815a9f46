import fp from 'fastify-plugin'
import { createExpiryCounts } from '../../domain/keys/lifecycle/expiry-counts.ts'
import type { ExpiryCounts } from '../../domain/keys/lifecycle/expiry-counts.ts'
import { logBackground } from '../../http/logging.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** How many client keys expire soon. Nothing is read before somebody asks. */
    expiryCounts: ExpiryCounts
  }
}

/** The counts of the client keys that expire soon, for the metrics. */
export default fp(
  async fastify => {
    const counts = createExpiryCounts({ keys: fastify.clientKeys, background: logBackground(fastify.log) })
    fastify.decorate('expiryCounts', counts)
    fastify.addHook('onClose', async () => {
      await counts.settled()
    })
  },
  { name: 'expiry-counts', dependencies: ['client-keys'] }
)
