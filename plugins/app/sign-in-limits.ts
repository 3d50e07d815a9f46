import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { neighbourhood, plainAddress } from '../../net/addresses.ts'
import { SignInLimited } from '../../http/errors.ts'
import { createAttemptLimit } from '../../domain/users/attempt-limit.ts'
import type { AttemptLimit } from '../../domain/users/attempt-limit.ts'
import type { User } from '../../domain/users/user.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts an attempt to sign in or up from the address of a request. Throws SignInLimited where there were too many.
     */
    limitVisitor: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
    /**
     * Counts an attempt at the account of an address; null: nobody has it. From an address at which its user has been
     * before, only the attempts from there count, so that no stranger elsewhere keeps the user out.
     */
    limitAccount: (request: FastifyRequest, reply: FastifyReply, email: string, user: User | null) => Promise<void>
    /**
     * Counts an attempt of a user who is signed in to prove the password once more. Throws SignInLimited where there
     * were too many.
     */
    limitUser: (reply: FastifyReply, userId: number) => Promise<void>
  }
}

const MINUTE = 60
const TEN_MINUTES = 10 * MINUTE

/** So many of each kind are counted at most, in 32 MB where somebody tries to fill it. */
const MOST_COUNTED = 50_000

const limit = (most: number, seconds: number): AttemptLimit => createAttemptLimit({ most, seconds, keys: MOST_COUNTED })

/** Of attempts at an account from one address, and from everywhere. */
const accountLimits = () => ({ pair: limit(20, TEN_MINUTES), account: limit(100, TEN_MINUTES) })

/** How often somebody may try to sign in. It is counted in the memory of this process. */
export default fp(
  async fastify => {
    const visitors = limit(60, MINUTE)
    const users = limit(20, TEN_MINUTES)
    // Apart, so that no flood of addresses which nobody has makes room among the counts of accounts that are there.
    const [accounts, others] = [accountLimits(), accountLimits()]

    fastify.decorate('limitVisitor', async (request, reply) => {
      await count(visitors, placeOf(request), reply)
    })
    fastify.decorate('limitAccount', async (request, reply, email, user) => {
      const limits = user === null ? others : accounts
      const place = placeOf(request)
      await count(limits.pair, `${place} ${email}`, reply)
      if (user !== null && (await fastify.stores.users.isKnownPlace(user.id, place, new Date()))) return
      await count(limits.account, email, reply)
    })
    fastify.decorate('limitUser', async (reply, userId) => {
      await count(users, String(userId), reply)
    })
  },
  { name: 'sign-in-limits', dependencies: ['database'] }
)

const placeOf = (request: FastifyRequest): string => neighbourhood(plainAddress(request.ip))

const count = async (limited: AttemptLimit, key: string, reply: FastifyReply): Promise<void> => {
  const seconds = await limited(key)
  if (seconds === null) return
  reply.header('retry-after', seconds)
  throw new SignInLimited()
}
