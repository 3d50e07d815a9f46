import bearerAuth from '@fastify/bearer-auth'
import { createVerifier } from 'fast-jwt'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { Credentials } from './credentials.ts'

/** The routes to compare, by the credential that they require. */
export const peers = {
  none: '/bench/none',
  noneAgain: '/bench/none-again',
  clientKey: '/bench/client-key',
  bearerAuth: '/bench/bearer-auth',
  jwt: '/bench/jwt'
} as const

const small = async (): Promise<object> => ({ ok: true })

/** Adds one small route for each type of authentication. */
export const addPeers: FastifyPluginAsync<Credentials> = async (fastify, { staticToken, jwtSecret }) => {
  fastify.get(peers.none, small)
  // The same route again: the difference between the two is the noise in the measurement.
  fastify.get(peers.noneAgain, small)
  fastify.get(peers.clientKey, { onRequest: fastify.requireClientKey, config: { scope: 'apps:read' } }, small)

  await fastify.register(async scope => {
    await scope.register(bearerAuth, { keys: new Set([staticToken]) })
    scope.get(peers.bearerAuth, small)
  })

  await fastify.register(async scope => {
    requireJwt(scope, jwtSecret)
    scope.get(peers.jwt, small)
  })
}

const SCHEME = 'Bearer '

const requireJwt = (scope: FastifyInstance, key: string): void => {
  const verify = createVerifier({ key, algorithms: ['HS256'], cache: false })
  scope.addHook('onRequest', (request, _reply, done) => {
    const { authorization = '' } = request.headers
    try {
      if (!authorization.startsWith(SCHEME)) throw new Error('no Bearer token')
      verify(authorization.slice(SCHEME.length))
      done()
    } catch (error) {
      done(error instanceof Error ? error : new Error('invalid token'))
    }
  })
}
