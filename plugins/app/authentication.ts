import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import { hasDuplicateAuthorization } from './client-key-headers.ts'
import { sessionCredential } from '../../http/session-headers.ts'

type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

declare module 'fastify' {
  interface FastifyInstance {
    /** An `onRequest` hook: lets a request pass that has an active client key or session and may use the route. */
    authenticate: Hook
    /** A `preHandler` hook: checks the same again, but counts nothing. */
    reauthorize: Hook
    /** Checks the same again within a handler that has waited for long. */
    reauthorizeNow: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

/**
 * Authenticates a request by its session where it names one, and otherwise by its client key, which goes first where
 * both are sent.
 */
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
