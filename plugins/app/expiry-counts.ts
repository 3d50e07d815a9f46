import fp from 'fastify-plugin'
import { createExpiryCounts } from '../../domain/keys/lifecycle/expiry-counts.ts'
import type { ExpiryCounts } from '../../domain/keys/lifecycle/expiry-counts.ts'
import { logBackground } from '../../http/logging.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The number of client keys that expire within 1, 7 and 30 days. Only read from the database when needed. */
    expiryCounts: ExpiryCounts
  }
}

/** Counts the client keys that expire soon, for the metrics. */
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
