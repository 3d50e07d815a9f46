import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { neighbourhood, plainAddress } from '../keys/addresses.ts'
import { SignInLimited } from '../problems/table.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts an attempt to sign in or up from the address of a request. Throws SignInLimited where there were too many. */
    limitVisitor (request: FastifyRequest, reply: FastifyReply): Promise<void>
    /**
     * Counts an attempt at an account. From an address at which its user has been before, only the attempts from there count, so
     * that no stranger keeps the user out.
     */
    limitAccount (request: FastifyRequest, reply: FastifyReply, email: string): Promise<void>
  }
}

const MINUTE = 60_000
const TEN_MINUTES = 10 * MINUTE

/** So many attempts from an address, at an account from an address, and at an account from everywhere. */
const MOST = { visitor: 60, pair: 20, account: 100 } as const

/** How often somebody may try to sign in. It is counted in the memory of this process. */
export default fp(async fastify => {
  const attempts = new WeakMap<FastifyRequest, string>()
  const place = (request: FastifyRequest): string => neighbourhood(plainAddress(request.ip))
  const account = (request: FastifyRequest): string => String(attempts.get(request))

  const limits = {
    visitor: fastify.createRateLimit({ max: MOST.visitor, timeWindow: MINUTE, keyGenerator: place }),
    pair: fastify.createRateLimit({ max: MOST.pair, timeWindow: TEN_MINUTES, keyGenerator: request => `${place(request)} ${account(request)}` }),
    account: fastify.createRateLimit({ max: MOST.account, timeWindow: TEN_MINUTES, keyGenerator: account })
  }

  const count = async (limit: keyof typeof limits, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const counted = await limits[limit](request)
    if (counted.isAllowed || !counted.isExceeded) return
    reply.header('retry-after', counted.ttlInSeconds)
    throw new SignInLimited()
  }

  fastify.decorate('limitVisitor', async (request, reply) => { await count('visitor', request, reply) })
  fastify.decorate('limitAccount', async (request, reply, email) => {
    attempts.set(request, email)
    await count('pair', request, reply)
    const known = await fastify.stores.users.findAccount(email)
    if (known !== null && await fastify.stores.users.isKnownPlace(known.user.id, place(request), new Date())) return
    await count('account', request, reply)
  })
}, { name: 'sign-in-limits', dependencies: ['client-keys', 'database'] })
