import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { userPrincipalOf } from '../../domain/access/principal.ts'
import { InvalidToken } from '../../domain/errors.ts'
import { AdminRequired, ClientKeyRequired } from '../../http/errors.ts'
import type { SessionCredential } from '../../domain/users/session.ts'
import { createPasswordHasher } from '../../domain/users/passwords.ts'
import type { PasswordHasher } from '../../domain/users/passwords.ts'
import type { ProblemClass } from '../../http/problems.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The users whose sessions are accepted: any user, users with the role `admin`, or none. Every protected route must
     * declare this.
     */
    users?: 'any' | 'admin' | 'none'
    /** The error for requests without an accepted credential. Default: an error with status 401. */
    unauthenticated?: ProblemClass
  }

  interface FastifyInstance {
    passwords: PasswordHasher
    /**
     * Authenticates a request by its session. Throws InvalidToken if the session doesn't exist, or ClientKeyRequired or
     * AdminRequired if the route doesn't accept the user.
     */
    requireUser: (credential: SessionCredential, request: FastifyRequest) => Promise<void>
  }
}

/**
 * Authenticates users by their sessions, which are sent as a Bearer token or in the headers `access-token`, `client`
 * and `uid`. Credentials in the URL are ignored.
 */
export default fp(
  async fastify => {
    const authenticate = async (credential: SessionCredential, request: FastifyRequest): Promise<void> => {
      const found = await fastify.users.findSession(credential)
      if (found === null) {
        request.log.info(
          { reason: 'no_session', method: request.method, route: request.routeOptions.url, address: request.ip },
          'session refused'
        )
        fastify.metrics?.countRefusal('no_session')
        throw new InvalidToken()
      }
      request.principal = { kind: 'user', ...found }
    }

    fastify.decorate('passwords', createPasswordHasher())
    fastify.decorate('requireUser', async (credential, request) => {
      await authenticate(credential, request)
      const { users: which = 'none' } = request.routeOptions.config
      if (which === 'none') throw new ClientKeyRequired()
      if (which === 'admin' && userPrincipalOf(request).user.role !== 'admin') throw new AdminRequired()
    })
  },
  { name: 'user-auth', dependencies: ['services', 'client-keys'] }
)
