import { randomBytes } from 'node:crypto'
import autoload from '@fastify/autoload'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import fp from 'fastify-plugin'
import { loadConfig } from './config/load.ts'
import type { Environment } from './config/read.ts'
import type { Config } from './config/schema.ts'
import { answerClientError } from './http/client-errors.ts'
import { limits } from './http/limits.ts'
import { loggingOptions } from './http/logging.ts'
import { answerEverything } from './http/unanswered.ts'
import { pathOf } from './paths.ts'
import { sendProblem } from './plugins/app/errors.ts'
import metrics from './plugins/app/metrics.ts'
import traces from './plugins/external/traces.ts'

// autoload recognises only some of the ways to run TypeScript, and refuses to load it in the others.
process.env['FASTIFY_AUTOLOAD_TYPESCRIPT'] = '1'

/** The application: every plugin, then every route. */
export const app = fp<{ config: Config }>(
  async (fastify, options) => {
    // First, so that they see every request, whatever becomes of it.
    await fastify.register(traces, options)
    await fastify.register(metrics, options)
    await fastify.register(autoload, { dir: pathOf('plugins'), options })
    await fastify.register(autoload, {
      dir: pathOf('routes'),
      autoHooks: true,
      cascadeHooks: true,
      // routes/public and routes/protected tell which routes need a credential, and are no part of the URL; the folders
      // below them are.
      dirNameRoutePrefix: (_dir, name) => name !== 'public' && name !== 'protected' && name
    })
  },
  { name: 'trivial-api', fastify: '5.x' }
)

/** A Fastify server with the application in it, ready to listen. Throws a ConfigError. */
export const createServer = async (env: Environment): Promise<FastifyInstance> => {
  const config = await loadConfig(env)
  const fastify = Fastify(serverOptions(config))
  answerEverything(fastify.server)
  try {
    await fastify.register(app, { config })
    return await fastify
  } catch (error) {
    await fastify.close()
    throw error
  }
}

const serverOptions = ({ LOG_LEVEL, TRUST_PROXY }: Config): FastifyServerOptions => ({
  ...limits,
  ...loggingOptions(LOG_LEVEL),
  genReqId: createRequestIds(),
  // On a machine that is busy with other things a start may take long, and is no failure for that.
  pluginTimeout: 60_000,
  trustProxy: TRUST_PROXY.length > 0 && TRUST_PROXY,
  // What comes on an open connection while the server stops is still answered; then the connection is closed.
  return503OnClosing: false,
  frameworkErrors: (error, request, reply) => {
    sendProblem(error, request, reply)
    // No hook sees what Fastify itself could not route.
    request.server.metrics?.answered(request, reply)
  },
  clientErrorHandler: answerClientError
})

// No two requests of any process have the same: the audit trail keeps these ids.
const createRequestIds = (): (() => string) => {
  const run = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${run}-${(++count).toString(36)}`
}
