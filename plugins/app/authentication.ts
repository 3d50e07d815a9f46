import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import { hasDuplicateAuthorization } from './client-key-headers.ts'
import { basicCredentials } from '../../http/basic-credentials.ts'
import { sessionCredential } from '../../http/session-headers.ts'

/**
 * Converts the Authorization header of an OAuth client that sends its key as `client_secret_basic`, so that the token
 * is then authenticated like any other.
 */
const acceptBasic = (request: FastifyRequest): void => {
  const { authorization } = request.headers
  const credentials = authorization === undefined ? null : basicCredentials(authorization)
  if (credentials === null) return
  request.clientId = credentials.clientId
  request.headers.authorization = `Bearer ${credentials.clientSecret}`
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

declare module 'fastify' {
  interface FastifyInstance {
    /** An `onRequest` hook that only accepts requests with an active client key or session that may use the route. */
    authenticate: Hook
    /** A `preHandler` hook that repeats the check without counting the request again. */
    reauthorize: Hook
    /** Repeats the check. Handlers call it after a long wait. */
    reauthorizeNow: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

/** Authenticates requests by session or by client key. If a request contains both, the client key takes precedence. */
export default fp(
  async fastify => {
    const hook =
      (requireKey: Hook): Hook =>
      (request, reply, done) => {
        if (request.routeOptions.config.isIntrospection === true) acceptBasic(request)
        const session = sessionCredential(request.headers)
        if (session === null || hasDuplicateAuthorization(request)) {
          requireKey(request, reply, done)
          return
        }
        fastify.requireUser(session, request).then(() => {
          done()
        }, done)
      }
    fastify.decorate(
      'authenticate',
      hook((request, reply, done) => {
        fastify.requireClientKey(request, reply, done)
      })
    )
    fastify.decorate(
      'reauthorize',
      hook((request, reply, done) => {
        fastify.recheckClientKey(request, reply, done)
      })
    )
    fastify.decorate('reauthorizeNow', async (request, reply) => {
      await new Promise<void>((resolve, reject) => {
        fastify.reauthorize(request, reply, error => {
          if (error === undefined) resolve()
          else reject(error)
        })
      })
    })
  },
  { name: 'authentication', dependencies: ['client-keys', 'user-auth'] }
)
