import fp from 'fastify-plugin'
import { openConfigured } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import { logBackground } from '../../http/logging.ts'
import { generationsOf } from '../../domain/keys/token/secrets.ts'

declare module 'fastify' {
  interface FastifyInstance {
    storage: Storage
  }
}

/** Opens the database, and closes it after the last request has been completed. */
export default fp(
  async fastify => {
    const { CLIENT_SECRET, CLIENT_SECRET_PREVIOUS } = fastify.config
    const storage = await openConfigured(fastify.config, {
      generations: generationsOf(CLIENT_SECRET, CLIENT_SECRET_PREVIOUS),
      background: logBackground(fastify.log)
    })
    fastify.decorate('storage', storage)
    fastify.addHook('onClose', async () => {
      await storage.close()
    })
  },
  { name: 'database', dependencies: ['config'] }
)
