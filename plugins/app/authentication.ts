import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import { hasDuplicateAuthorization } from './client-key-headers.ts'
import { sessionCredential } from '../../http/session-headers.ts'

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
