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
import { answerEverything } from './http/unanswered.ts'
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

/** In the order of their dependencies. */
const plugins = [
  // First, so that they see every request, whatever becomes of it, and every route.
  traces,
  requestIds,
  metrics,
  appWriter,
  database,
  clientSecrets,
  counting,
  clientKeys,
  services,
  userAuth,
  authentication,
  securityHeaders,
  // Before whatever may refuse a request, so that a page of an allowed origin can read why.
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

// autoload recognises only some of the ways to run TypeScript, and refuses to load it in the others.
process.env['FASTIFY_AUTOLOAD_TYPESCRIPT'] = '1'

const routes: AutoloadPluginOptions = {
  dir: pathOf('routes'),
  autoHooks: true,
  cascadeHooks: true,
  // routes/public and routes/protected tell which routes need a credential, and are no part of the URL; the folders
  // below them are.
  dirNameRoutePrefix: (_dir, name) => name !== 'public' && name !== 'protected' && name
}

/** The application: every plugin, then every route. The server needs its configuration before. */
export const app = fp(
  async fastify => {
    for (const plugin of plugins) await fastify.register(plugin)
    await fastify.register(autoload, routes)
  },
  { name: 'trivial-api', fastify: '5.x', dependencies: ['config'] }
)

/** A Fastify server with the application in it, ready to listen. Throws a ConfigError. */
export const createServer = async (env: Environment): Promise<FastifyInstance> => {
  const genReqId = createRequestIds()
  const refuse = createRefusal({ nextId: genReqId, log: () => fastify.log })
  const fastify: FastifyInstance = Fastify({
    ...serverOptions(),
    genReqId,
    clientErrorHandler: createClientErrorHandler(refuse),
    // Which proxies there are is checked later; a server without any does not ask.
    trustProxy: env['TRUST_PROXY'] !== undefined && (address => fastify.isTrustedProxy(address))
  })
  answerEverything(fastify.server, refuse)
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
  // On a machine that is busy with other things a start may take long, and is no failure for that.
  pluginTimeout: 60_000,
  // What comes on an open connection while the server stops is still answered; then the connection is closed.
  return503OnClosing: false,
  routerOptions: ROUTING,
  frameworkErrors: (error, request, reply) => {
    const { metrics, securityHeaders, setCorsHeaders } = request.server
    // No hook sees what Fastify itself could not route.
    identifyRequest(request, reply.headers(securityHeaders))
    setCorsHeaders?.(request, reply)
    sendProblem(error, request, reply)
    metrics?.answered(request, reply)
    logging.logController.requestCompleted(null, request, reply)
  }
})
