import fastifyEnv from '@fastify/env'
import Fastify from 'fastify'
import { asConfigError, configAjv } from './read.ts'
import type { Environment } from './read.ts'
import { Config } from './schema.ts'

/**
 * Reads the environment for the service, once, with `@fastify/env`. The log level and the proxies must be known before
 * the server is made, so the plugin runs on an instance of its own, which never listens. Rejects with a ConfigError
 * that names every bad variable.
 */
export const loadConfig = async (env: Environment): Promise<Config> => {
  const reader = Fastify()
  try {
    await reader.register(fastifyEnv, { schema: Config, data: { ...env }, env: false, ajv: configAjv })
    return reader.getEnvs<Config>()
  } catch (error) {
    throw asConfigError(error)
  }
}
