import type { FastifyPluginAsync, FastifySchema, RouteOptions } from 'fastify'
import { describeAccess } from '../../http/credentials.ts'
import type { ProblemClass } from '../../http/problems.ts'
import { mergeReplies, problemReplies } from '../../http/replies.ts'
import { sendProblem } from '../../plugins/app/errors.ts'
import { FreshnessLost, InvalidToken, missingScope, OutcomeUnknown, ServiceUnavailable } from '../../domain/errors.ts'
import {
  AddressNotAllowed,
  AdminRequired,
  BodyTooLarge,
  BrowserNotAllowed,
  ClientKeyRequired,
  CredentialRequired,
  LimitUndecided,
  MalformedJson,
  RateLimited,
  UnsupportedMediaType,
  UserRequired
} from '../../http/errors.ts'

const unauthenticated = [CredentialRequired, InvalidToken]
const refusals = problemReplies(
  BrowserNotAllowed,
  AddressNotAllowed,
  RateLimited,
  ServiceUnavailable,
  FreshnessLost,
  LimitUndecided
)
/** What has a body may also change something. */
const ofChanges = problemReplies(MalformedJson, BodyTooLarge, UnsupportedMediaType, OutcomeUnknown)

const forUsers = { any: {}, admin: problemReplies(AdminRequired), none: problemReplies(ClientKeyRequired) }

/**
 * Every route below this folder is for client keys that have the scope which it declares as `config.scope`, and for
 * users as `config.users` says; its documentation says so. One that does not declare both stops the start. What a user
 * may do to which app or organization is for the services to tell.
 */
const autohooks: FastifyPluginAsync = async fastify => {
  fastify.addHook('onRequest', fastify.authenticate)

  fastify.addHook('onRoute', route => {
    const { scope, users, unauthenticated: other } = route.config ?? {}
    if (scope === undefined || users === undefined) {
      throw new Error(`${String(route.method)} ${route.url} does not declare a scope and its users`)
    }
    const needed = scope === null || scope === 'none' ? [] : [scope].flat()
    const lacking = needed.map(each => problemReplies(missingScope(each)))
    const forNoKey = scope === 'none' ? problemReplies(UserRequired) : {}
    const schema = route.schema as FastifySchema & { description: string; response: Record<number, object> }
    const { security, sentence } = describeAccess({ scope, users })
    // Fastify reads a body for every method but these, whether the route has a schema for it or not.
    const hasBody = [route.method].flat().some(method => method !== 'GET' && method !== 'HEAD')
    const forChanges = hasBody ? ofChanges : {}
    route.schema = {
      ...schema,
      description: `${schema.description}\n\n${sentence}`,
      security: other === undefined ? security : [{}, ...security],
      response: mergeReplies(
        problemReplies(...(other === undefined ? unauthenticated : [other])),
        refusals,
        ...lacking,
        forNoKey,
        forUsers[users],
        forChanges,
        schema.response
      )
    }
    if (other !== undefined) route.errorHandler = handleUnauthenticated(other)
    // A body may take its time, and the key may be revoked, or the session ended, meanwhile.
    if (hasBody) route.preHandler = [fastify.reauthorize, ...[route.preHandler ?? []].flat()]
  })
}

/** Handles the failures of a route which has one of its own where others have 401. */
const handleUnauthenticated =
  (Other: ProblemClass): NonNullable<RouteOptions['errorHandler']> =>
  (error, request, reply) => {
    const isUnauthenticated = unauthenticated.some(Each => new Each().code === error.code)
    if (isUnauthenticated) reply.removeHeader('www-authenticate')
    sendProblem(isUnauthenticated ? new Other() : error, request, reply)
  }

export default autohooks
