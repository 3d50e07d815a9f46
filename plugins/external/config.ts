import fastifyEnv from '@fastify/env'
import fp from 'fastify-plugin'
import { asConfigError, configAjv } from '../../config/read.ts'
import type { Environment } from '../../config/read.ts'
import { Config } from '../../config/schema.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The validated configuration: see config/schema.ts. */
    config: Config
  }
}

/**
 * Reads the environment into `fastify.config`. Throws a ConfigError that lists all invalid variables if there are any.
 */
export default fp<{ env: Environment }>(
  async (fastify, { env }) => {
    try {
      await fastify.register(fastifyEnv, { schema: Config, data: { ...env }, env: false, ajv: configAjv })
    } catch (error) {
      throw asConfigError(error)
    }
  },
  { name: 'config' }
)
