import fp from 'fastify-plugin'
import type { Config } from '../../config/schema.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The configuration, checked: see config/schema.ts. */
    config: Config
  }
}

/** The configuration that the server was made with, as `fastify.config`. */
export default fp<{ config: Config }>(
  async (fastify, { config }) => {
    fastify.decorate('config', config)
  },
  { name: 'config' }
)
