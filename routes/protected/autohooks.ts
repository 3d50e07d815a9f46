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
/** The additional problems for requests that have a body and may change data. */
const bodyProblems = problemReplies(BodyTooLarge, UnsupportedMediaType, OutcomeUnknown)

const forUsers = { any: {}, admin: problemReplies(AdminRequired), none: problemReplies(ClientKeyRequired) }

/**
 * Every route in this folder accepts client keys with the scope in `config.scope`, and the users in `config.users`. The
 * route's documentation lists both. The service doesn't start if a route lacks one of them. The domain services decide
 * what a user may do with an app or organization.
 */
const autohooks: FastifyPluginAsync = async fastify => {
  fastify.addHook('onRequest', fastify.authenticate)

  fastify.addHook('onRoute', route => {
    const { scope, users, isIntrospection = false, unauthenticated: other } = route.config ?? {}
    if (scope === undefined || users === undefined) {
      throw new Error(`${String(route.method)} ${route.url} must declare scope and users in its config`)
    }
    const needed = scope === null || scope === 'none' ? [] : [scope].flat()
    const lacking = needed.map(each => problemReplies(missingScope(each)))
    const withoutKeys = scope === 'none' ? problemReplies(UserRequired) : {}
    const schema = route.schema as FastifySchema & { description: string; response: Record<number, object> }
    const { security, sentence } = describeAccess({ scope, users, isIntrospection })
    // Fastify reads a body for every method except these, even if the route has no schema for it.
    const hasBody = [route.method].flat().some(method => method !== 'GET' && method !== 'HEAD')
    const isForm = schema.consumes !== undefined
    const forChanges = hasBody ? mergeReplies(bodyProblems, isForm ? {} : problemReplies(MalformedJson)) : {}
    route.schema = {
      ...schema,
      description: `${schema.description}\n\n${sentence}`,
      security: other === undefined ? security : [{}, ...security],
      response: mergeReplies(
        problemReplies(...(other === undefined ? unauthenticated : [other])),
        refusals,
        ...lacking,
        withoutKeys,
        forUsers[users],
        forChanges,
        schema.response
      )
    }
    if (other !== undefined) route.errorHandler = handleUnauthenticated(other)
    // The key may be revoked, or the session may end, while the body is being received.
    if (hasBody) route.preHandler = [fastify.reauthorize, ...[route.preHandler ?? []].flat()]
  })
}

/** Returns the error handler for a route that responds with its own problem instead of a 401. */
const handleUnauthenticated =
  (Other: ProblemClass): NonNullable<RouteOptions['errorHandler']> =>
  (error, request, reply) => {
    const isUnauthenticated = unauthenticated.some(Each => new Each().code === error.code)
    if (isUnauthenticated) reply.removeHeader('www-authenticate')
    sendProblem(isUnauthenticated ? new Other() : error, request, reply)
  }

export default autohooks
