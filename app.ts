import autoload from '@fastify/autoload'
import type { AutoloadPluginOptions } from '@fastify/autoload'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import fp from 'fastify-plugin'
import { ConfigError } from './config/read.ts'
import type { Environment } from './config/read.ts'
import { isUnavailable } from './domain/errors.ts'
import { reasonOf } from './domain/reason.ts'
import { createClientErrorHandler, createRefusal } from './http/client-errors.ts'
import { limits } from './http/limits.ts'
import { loggingOptions } from './http/logging.ts'
import { createRequestIds, identifyRequest } from './http/request-ids.ts'
import { ROUTING } from './http/routing.ts'
import { replaceNodeReplies } from './http/node-replies.ts'
import { pathOf } from './paths.ts'
import appWriter from './plugins/app/app-writer.ts'
import authentication from './plugins/app/authentication.ts'
import clientKeys from './plugins/app/client-keys.ts'
import clientSecrets from './plugins/app/client-secrets.ts'
import counting from './plugins/app/counting.ts'
import database from './plugins/app/database.ts'
import errors, { sendProblem } from './plugins/app/errors.ts'
import expiryCounts from './plugins/app/expiry-counts.ts'
import expiryWarnings from './plugins/app/expiry-warnings.ts'
import metrics from './plugins/app/metrics.ts'
import requestIds from './plugins/app/request-ids.ts'
import requestForm from './plugins/app/request-form.ts'
import introspection from './plugins/app/introspection.ts'
import serviceRegistry from './plugins/app/service-registry.ts'
import services from './plugins/app/services.ts'
import signInLimits from './plugins/app/sign-in-limits.ts'
import userAuth from './plugins/app/user-auth.ts'
import validation from './plugins/app/validation.ts'
import config from './plugins/external/config.ts'
import cors from './plugins/external/cors.ts'
import docs from './plugins/external/docs.ts'
import openapi from './plugins/external/openapi.ts'
import securityHeaders from './plugins/external/security-headers.ts'
import traces from './plugins/external/traces.ts'

/** The plugins, in dependency order. */
const plugins = [
  // Registered first so that their hooks run for every route and every request, including refused ones.
  traces,
  requestIds,
  metrics,
  appWriter,
  database,
  serviceRegistry,
  clientSecrets,
  counting,
  clientKeys,
  introspection,
  services,
  userAuth,
  authentication,
  securityHeaders,
  // Registered before the plugins that refuse requests, so that pages from allowed origins can read the reason.
  cors,
  requestForm,
  errors,
  expiryCounts,
  expiryWarnings,
  signInLimits,
  validation,
  openapi,
  docs
]

// @fastify/autoload refuses to load TypeScript files unless it recognizes the runtime. This variable skips that check.
process.env['FASTIFY_AUTOLOAD_TYPESCRIPT'] = '1'

const routes: AutoloadPluginOptions = {
  dir: pathOf('routes'),
  autoHooks: true,
  cascadeHooks: true,
  // The folders routes/public and routes/protected separate the routes that don't need a credential from those that do.
  // Their names aren't part of any URL, but the names of the folders inside them are.
  dirNameRoutePrefix: (_dir, name) => name !== 'public' && name !== 'protected' && name
}

/** Registers all plugins, then all routes. The configuration plugin must be registered first. */
export const app = fp(
  async fastify => {
    for (const plugin of plugins) await fastify.register(plugin)
    await fastify.register(autoload, routes)
  },
  { name: 'trivial-api', fastify: '5.x', dependencies: ['config'] }
)

/**
 * Creates a Fastify server that is ready to listen. Throws a ConfigError if the configuration is invalid or the
 * database can't be used.
 */
export const createServer = async (env: Environment): Promise<FastifyInstance> => {
  const genReqId = createRequestIds()
  const refuse = createRefusal({ nextId: genReqId, log: () => fastify.log })
  const fastify: FastifyInstance = Fastify({
    ...serverOptions(),
    genReqId,
    clientErrorHandler: createClientErrorHandler(refuse),
    // `isTrustedProxy` is added later, by a plugin. Without TRUST_PROXY, no proxy is trusted.
    trustProxy: env['TRUST_PROXY'] !== undefined && (address => fastify.isTrustedProxy(address))
  })
  replaceNodeReplies(fastify.server, refuse)
  try {
    await fastify.register(config, { env })
    fastify.log.level = fastify.config.LOG_LEVEL
    await fastify.register(app)
    return fastify
  } catch (error) {
    await fastify.close()
    throw isUnavailable(error)
      ? new ConfigError(`DATABASE_URL: the database can't be used: ${reasonOf(error)}.`)
      : error
  }
}

const serverOptions = (logging = loggingOptions()): FastifyServerOptions => ({
  ...limits,
  ...logging,
  // On a busy machine, plugins may need more than Fastify's default of 10 seconds to start.
  pluginTimeout: 60_000,
  // While the server is closing, it still processes requests on open connections, and then closes those connections.
  return503OnClosing: false,
  routerOptions: ROUTING,
  frameworkErrors: (error, request, reply) => {
    const { metrics, securityHeaders, setCorsHeaders } = request.server
    // Fastify doesn't run hooks for requests that it can't route.
    identifyRequest(request, reply.headers(securityHeaders))
    setCorsHeaders?.(request, reply)
    sendProblem(error, request, reply)
    metrics?.countRequest(request, reply)
    logging.logController.requestCompleted(null, request, reply)
  }
})
