import fastifyEnv from '@fastify/env'
import fp from 'fastify-plugin'
import { asConfigError, configAjv } from '../../config/read.ts'
import type { Environment } from '../../config/read.ts'
import { Config } from '../../config/schema.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The configuration, checked: see config/schema.ts. */
    config: Config
  }
}

/** Reads the environment as `fastify.config`. Rejects with a ConfigError that names every bad variable. */
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
