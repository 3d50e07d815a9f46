import FindMyWay from 'find-my-way'
import type { HTTPMethod } from 'find-my-way'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { bearerChallenge, REALM } from '../http/challenge.ts'
import { splitUrl } from '../http/url.ts'
import { sentences } from '../json/validation.ts'
import { isProblem, PROBLEM_MEDIA_TYPE, toDocument } from '../problems/problem.ts'
import type { ProblemError } from '../problems/problem.ts'
import {
  BadRequest,
  frameworkProblems,
  InternalError,
  InvalidFields,
  InvalidToken,
  MethodNotAllowed,
  RouteNotFound
} from '../problems/table.ts'

const RETRY_AFTER_SECONDS = 1

/**
 * Every failure to a problem document (RFC 9457). What the service did not foresee is logged, and the reply hides it.
 */
export default fp(
  async fastify => {
    fastify.setErrorHandler(sendProblem)

    const routes: Route[] = []
    fastify.addHook('onRoute', ({ method, url }) => {
      // For preflights, which are answered everywhere.
      if (url === '*') return
      for (const each of [method].flat() as HTTPMethod[]) routes.push({ method: each, url })
    })
    let served: Served | undefined
    const refuse = (request: FastifyRequest, reply: FastifyReply): ProblemError => {
      const { methods, router } = (served ??= routesServed(routes))
      const allowed = methods.filter(method => router.find(method, splitUrl(request.url).path) !== null)
      if (allowed.length === 0 || allowed.includes(request.method as HTTPMethod)) return new RouteNotFound()
      reply.header('allow', allowed.join(', '))
      return new MethodNotAllowed()
    }
    // A scope of its own, so that its hook runs for what is not found and for nothing else.
    await fastify.register(async scope => {
      // Before a body is read that nobody asked for.
      scope.addHook('onRequest', (request, reply, done) => {
        done(refuse(request, reply))
      })
      // A route may also find by itself that it has nothing, as that of a folder of files does.
      scope.setNotFoundHandler((request, reply) => {
        throw refuse(request, reply)
      })
    })
  },
  { name: 'errors', dependencies: ['security-headers'] }
)

interface Route {
  method: HTTPMethod
  url: string
}

interface Served {
  methods: HTTPMethod[]
  router: FindMyWay.Instance<FindMyWay.HTTPVersion.V1>
}

// Made when something is first not found: it takes as long as Fastify's own router, and no start should wait for it.
const routesServed = (routes: readonly Route[]): Served => {
  const router = FindMyWay()
  for (const { method, url } of routes) router.on(method, url, () => {})
  return { methods: [...new Set(routes.map(({ method }) => method))], router }
}

/** Answers a failure with its problem document. */
export const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const problem = toProblem(error)
  if (problem.statusCode >= 500) {
    request.log.error({ err: error }, 'the request failed')
    reply.header('x-request-id', request.id)
  }
  // RFC 9110, section 11.6.1, wants one in every 401; RFC 6750, section 3, an error code where a token was sent.
  if (problem.statusCode === 401 && !reply.hasHeader('www-authenticate')) {
    reply.header(
      'www-authenticate',
      bearerChallenge(REALM, problem instanceof InvalidToken ? 'invalid_token' : undefined)
    )
  }
  if (problem.statusCode === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', RETRY_AFTER_SECONDS)
  reply
    .code(problem.statusCode)
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(toDocument(problem)))
}

const toProblem = (error: unknown): ProblemError => {
  if (isProblem(error)) return error
  const { code, statusCode = 500, validation } = error as FastifyError
  if (validation !== undefined) return new InvalidFields(sentences(validation))
  const Known: (new () => ProblemError) | undefined = frameworkProblems[code]
  if (Known !== undefined) return new Known()
  return statusCode >= 400 && statusCode < 500 ? new BadRequest() : new InternalError()
}
