import FindMyWay from 'find-my-way'
import type { HTTPMethod } from 'find-my-way'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { basicChallenge, bearerChallenge, REALM } from '../../http/challenge.ts'
import { splitUrl } from '../../net/url.ts'
import { ROUTING } from '../../http/routing.ts'
import { problemFields } from '../../http/problem-fields.ts'
import { isNoResource } from '../../http/url-values.ts'
import { fieldIssues } from '../../http/validation-issues.ts'
import { isProblem, PROBLEM_MEDIA_TYPE, toDocument } from '../../http/problems.ts'
import type { ProblemClass, ProblemError, ProblemField } from '../../http/problems.ts'
import { InsufficientScope, InvalidFields, InvalidToken } from '../../domain/errors.ts'
import { reasonOf } from '../../domain/reason.ts'
import {
  AddressNotAllowed,
  BadRequest,
  BadUrl,
  BodyTooLarge,
  BrowserNotAllowed,
  CredentialRequired,
  InternalError,
  LimitUndecided,
  MalformedJson,
  MethodNotAllowed,
  RateLimited,
  RouteNotFound,
  UnsupportedMediaType,
  UserRequired
} from '../../http/errors.ts'

const RETRY_AFTER_SECONDS = 1

/**
 * Responds to every error with a problem document (RFC 9457). Unexpected errors are logged, but not revealed to
 * clients.
 */
export default fp(
  async fastify => {
    fastify.setErrorHandler(sendProblem)

    const routes: Route[] = []
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat() as HTTPMethod[]) routes.push({ method: each, url })
    })
    let served: Served | undefined
    const refuse = (request: FastifyRequest, reply: FastifyReply): ProblemError => {
      const { methods, router } = (served ??= routesServed(routes))
      const { path } = splitUrl(request.url)
      const allowed = methods.filter(method => isServed(router.find(method, path)))
      if (allowed.length === 0 || allowed.includes(request.method as HTTPMethod)) return new RouteNotFound()
      reply.header('allow', allowed.join(', '))
      return new MethodNotAllowed()
    }
    // Registered in a separate context, so that the hook runs only for requests that match no route.
    await fastify.register(async scope => {
      // Refuses the request before its body is read.
      scope.addHook('onRequest', (request, reply, done) => {
        done(refuse(request, reply))
      })
      // Routes may also call this handler, for example a route that serves files, if a file doesn't exist.
      scope.setNotFoundHandler((request, reply) => {
        throw refuse(request, reply)
      })
    })
  },
  { name: 'errors', dependencies: ['security-headers', 'request-form'] }
)

interface Route {
  method: HTTPMethod
  url: string
}

interface Served {
  methods: HTTPMethod[]
  router: FindMyWay.Instance<FindMyWay.HTTPVersion.V1>
}

// Called on the first request that matches no route rather than at startup, because creating this router takes as long
// as creating Fastify's own.
const routesServed = (routes: readonly Route[]): Served => {
  const router = FindMyWay(ROUTING)
  for (const { method, url } of routes) router.on(method, url, () => {})
  return { methods: [...new Set(routes.map(({ method }) => method))], router }
}

/** Returns whether a route was found and none of its parameters are empty. */
const isServed = (found: FindMyWay.FindResult<FindMyWay.HTTPVersion.V1> | null): boolean =>
  found !== null && !Object.values(found.params).includes('')

/** Sends the problem document for an error. */
export const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const problem = toProblem(error)
  // On a route with `attachValidation`, the handler may throw a new error with the validation issues. In that case,
  // only `request.validationError` shows which part failed.
  const place = placeOf(error) ?? placeOf(request.validationError)
  const fields = problemFields(problem, request.routeOptions.schema, place)
  const document = toDocument(problem, { requestId: request.id, fields })
  const { status } = document
  if (status >= 500) {
    request.log.error({ err: error, reason: reasonOf(error) ?? undefined }, 'the request failed')
  }
  // Every 401 requires this header (RFC 9110, section 11.6.1). If a token was sent, the header must contain an error
  // code (RFC 6750, section 3).
  if (status === 401 && !reply.hasHeader('www-authenticate')) {
    reply.header(
      'www-authenticate',
      bearerChallenge(REALM, problem instanceof InvalidToken ? 'invalid_token' : undefined)
    )
  }
  if (status === 401 && request.routeOptions.config.isIntrospection === true) {
    reply.header('www-authenticate', [reply.getHeader('www-authenticate'), basicChallenge(REALM)])
  }
  if (status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', RETRY_AFTER_SECONDS)
  reply.code(status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(document))
}

/** The problems that replace Fastify's errors, by error code. */
const frameworkProblems: Readonly<Record<string, ProblemClass>> = {
  FST_ERR_BAD_URL: BadUrl,
  FST_ERR_MAX_PARAM_LENGTH: RouteNotFound,
  FST_ERR_CTP_EMPTY_JSON_BODY: MalformedJson,
  FST_ERR_CTP_INVALID_JSON_BODY: MalformedJson,
  FST_ERR_CTP_BODY_TOO_LARGE: BodyTooLarge,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: UnsupportedMediaType,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: BadRequest
}

/** The problems that replace the errors of the client key plugins. Their messages also mention signing in. */
const keyProblems: Readonly<Record<string, ProblemClass>> = {
  CREDENTIAL_REQUIRED: CredentialRequired,
  INVALID_TOKEN: InvalidToken,
  BROWSER_NOT_ALLOWED: BrowserNotAllowed,
  ADDRESS_NOT_ALLOWED: AddressNotAllowed,
  USER_REQUIRED: UserRequired,
  RATE_LIMITED: RateLimited,
  LIMIT_UNDECIDED: LimitUndecided
}

const NO_RESOURCE =
  'No route has this path: a part of it is empty or not an id. Ids are decimal numbers without a sign or leading zeros.'

/** Returns the part of a request that failed validation, or undefined if none did. */
const placeOf = (error: unknown): ProblemField['in'] | undefined => {
  if (!(error instanceof Error) || !('validation' in error)) return undefined
  const { validationContext } = error as FastifyError
  if (validationContext === 'querystring') return 'query'
  return validationContext === 'params' ? 'path' : 'body'
}

const toProblem = (error: unknown): ProblemError => {
  if (isProblem(error)) return error
  const { code, message, statusCode = 500, validation } = error as FastifyError
  if (validation !== undefined) {
    return placeOf(error) === 'path' && validation.some(isNoResource)
      ? new RouteNotFound({ message: NO_RESOURCE })
      : new InvalidFields({ issues: fieldIssues(validation) })
  }
  const Known: ProblemClass | undefined = frameworkProblems[code] ?? keyProblems[code]
  if (Known !== undefined) return new Known()
  if (code === 'INSUFFICIENT_SCOPE') return new InsufficientScope({ message })
  return statusCode >= 400 && statusCode < 500 ? new BadRequest() : new InternalError()
}
