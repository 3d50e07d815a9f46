import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import { isSentTwice } from './client-key-auth.ts'
import { sessionCredential } from '../../domain/users/session.ts'

type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

declare module 'fastify' {
  interface FastifyInstance {
    /** An `onRequest` hook: lets in who has a good client key or a good session, and may use the route. */
    admit: Hook
    /** A `preHandler` hook: the same once more, but for what is counted. */
    admitAgain: Hook
    /** The same in the midst of a handler that has waited for long. */
    admitOnceMore: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

/**
 * Lets a request in with a session where it speaks of one, and otherwise with a client key, which wins where both are
 * sent.
 */
export default fp(
  async fastify => {
    const door =
      (enforce: Hook): Hook =>
      (request, reply, done) => {
        const session = sessionCredential(request.headers)
        if (session !== null && !isSentTwice(request)) {
          fastify.requireUser(session, request).then(() => {
            done()
          }, done)
          return
        }
        fastify.requireClientKey(request, reply, error => {
          if (error === undefined) enforce(request, reply, done)
          else done(error)
        })
      }
    fastify.decorate(
      'admit',
      door((request, reply, done) => {
        fastify.enforcePolicy(request, reply, done)
      })
    )
    fastify.decorate(
      'admitAgain',
      door((request, reply, done) => {
        fastify.enforcePolicyAgain(request, reply, done)
      })
    )
    fastify.decorate('admitOnceMore', async (request, reply) => {
      await new Promise<void>((resolve, reject) => {
        fastify.admitAgain(request, reply, error => {
          if (error === undefined) resolve()
          else reject(error)
        })
      })
    })
  },
  { name: 'admission', dependencies: ['client-keys', 'user-auth'] }
)
