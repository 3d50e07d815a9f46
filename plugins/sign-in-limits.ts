import type { RateLimitOptions } from '@fastify/rate-limit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { neighbourhood, plainAddress } from '../keys/addresses.ts'
import { SignInLimited } from '../problems/table.ts'
import type { User } from '../users/user.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts an attempt to sign in or up from the address of a request. Throws SignInLimited where there were too many. */
    limitVisitor (request: FastifyRequest, reply: FastifyReply): Promise<void>
    /**
     * Counts an attempt at the account of an address; null: nobody has it. From an address at which its user has been before, only the attempts from there count, so
     * that no stranger elsewhere keeps the user out.
     */
    limitAccount (request: FastifyRequest, reply: FastifyReply, email: string, user: User | null): Promise<void>
    /** Counts an attempt of a user who is signed in to prove the password once more. Throws SignInLimited where there were too many. */
    limitUser (request: FastifyRequest, reply: FastifyReply, userId: number): Promise<void>
  }
}

const MINUTE = 60_000
const TEN_MINUTES = 10 * MINUTE

/** So many attempts from an address, at an account from an address, at an account from everywhere, and of a user who is signed in. */
const MOST = { visitor: 60, pair: 20, account: 100, user: 20 } as const

/** So many counts of each kind are kept; what was counted longest ago is forgotten first. */
const MOST_COUNTED = 100_000

/** How often somebody may try to sign in. It is counted in the memory of this process. */
export default fp(async fastify => {
  const attempts = new WeakMap<FastifyRequest, string>()
  const place = (request: FastifyRequest): string => neighbourhood(plainAddress(request.ip))
  const account = (request: FastifyRequest): string => String(attempts.get(request))

  const limit = (what: keyof typeof MOST, timeWindow: number, keyGenerator: (request: FastifyRequest) => string) => {
    const options: RateLimitOptions = { max: MOST[what], timeWindow, keyGenerator, cache: MOST_COUNTED }
    return fastify.createRateLimit(options)
  }

  const visitors = limit('visitor', MINUTE, place)
  const users = limit('user', TEN_MINUTES, account)
  // Apart, so that no flood of addresses which nobody has makes room among the counts of accounts that are there.
  const [accounts, others] = [1, 2].map(() => ({
    pair: limit('pair', TEN_MINUTES, request => `${place(request)} ${account(request)}`), account: limit('account', TEN_MINUTES, account)
  }))

  const count = async (limited: typeof visitors, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const counted = await limited(request)
    if (counted.isAllowed || !counted.isExceeded) return
    reply.header('retry-after', counted.ttlInSeconds)
    throw new SignInLimited()
  }

  fastify.decorate('limitVisitor', async (request, reply) => { await count(visitors, request, reply) })
  fastify.decorate('limitAccount', async (request, reply, email, user) => {
    attempts.set(request, email)
    const limits = user === null ? others : accounts
    await count(limits.pair, request, reply)
    if (user !== null && await fastify.stores.users.isKnownPlace(user.id, place(request), new Date())) return
    await count(limits.account, request, reply)
  })
  fastify.decorate('limitUser', async (request, reply, userId) => {
    attempts.set(request, String(userId))
    await count(users, request, reply)
  })
}, { name: 'sign-in-limits', dependencies: ['client-keys', 'database'] })
