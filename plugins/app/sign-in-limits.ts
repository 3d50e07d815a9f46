import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createMemoryCounters } from '../../domain/counters.ts'
import { createLoginAttemptLimit } from '../../domain/users/login-attempts.ts'
import type { LoginAttemptLimit } from '../../domain/users/login-attempts.ts'
import type { User } from '../../domain/users/user.ts'
import { LimitUndecided, SignInLimited } from '../../http/errors.ts'
import { knownAddress } from '../../http/addresses.ts'
import { ipPrefix, plainAddress } from '../../net/addresses.ts'

/** The account that somebody tries to sign in to: its address, and its user, null where nobody has it. */
interface AttemptedAccount {
  readonly email: string
  readonly user: User | null
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts an attempt to sign in or up from the address of a request. Throws SignInLimited where there were too many,
     * and LimitUndecided where that can't be told, as the others do.
     */
    limitAddress: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
    /**
     * Counts an attempt at an account. From a location where its user has signed in before, only the attempts from
     * there count, so that no stranger elsewhere keeps the user out. Throws SignInLimited.
     */
    limitAccount: (request: FastifyRequest, reply: FastifyReply, account: AttemptedAccount) => Promise<void>
    /**
     * Counts an attempt of a user who is signed in to prove the password once more. Throws SignInLimited where there
     * were too many.
     */
    limitUser: (reply: FastifyReply, userId: number) => Promise<void>
  }
}

const MINUTE = 60
const TEN_MINUTES = 10 * MINUTE

/** At most this many keys of each kind are counted: 32 MB where somebody tries to fill it. */
const MAX_COUNTED = 50_000

/** How often somebody may try to sign in. */
export default fp(
  async fastify => {
    // In memory each limit has counters of its own, so that a flood of keys of one kind displaces no others.
    const limit = (name: string, max: number, seconds: number): LoginAttemptLimit =>
      createLoginAttemptLimit(
        name,
        { max, seconds },
        fastify.counters ?? createMemoryCounters({ maxKeys: MAX_COUNTED })
      )
    // Of attempts at an account from one IP prefix, and from everywhere.
    const accountLimits = () => ({ pair: limit('pair', 20, TEN_MINUTES), account: limit('account', 100, TEN_MINUTES) })

    const addresses = limit('address', 60, MINUTE)
    const users = limit('user', 20, TEN_MINUTES)
    // Apart, so that a flood of addresses which nobody has does not push out the counts of accounts that exist.
    const [accounts, others] = [accountLimits(), accountLimits()]

    fastify.decorate('limitAddress', async (request, reply) => {
      await count(addresses, prefixOf(request), reply)
    })
    fastify.decorate('limitAccount', async (request, reply, { email, user }) => {
      const limits = user === null ? others : accounts
      await count(limits.pair, `${prefixOf(request)} ${email}`, reply)
      if (user !== null && (await fastify.users.isKnownLocation(user.id, plainAddress(request.ip)))) return
      await count(limits.account, email, reply)
    })
    fastify.decorate('limitUser', async (reply, userId) => {
      await count(users, String(userId), reply)
    })
  },
  { name: 'sign-in-limits', dependencies: ['services', 'counting'] }
)

const prefixOf = (request: FastifyRequest): string => ipPrefix(knownAddress(request))

const count = async (limited: LoginAttemptLimit, key: string, reply: FastifyReply): Promise<void> => {
  const seconds = await limited(key).catch((cause: unknown) => {
    throw new LimitUndecided({ cause })
  })
  if (seconds === null) return
  reply.header('retry-after', seconds)
  throw new SignInLimited()
}
