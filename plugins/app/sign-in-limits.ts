import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createMemoryCounters } from '../../domain/counters.ts'
import { createLoginAttemptLimit } from '../../domain/users/login-attempts.ts'
import type { LoginAttemptLimit } from '../../domain/users/login-attempts.ts'
import type { User } from '../../domain/users/user.ts'
import { LimitUndecided, SignInLimited } from '../../http/errors.ts'
import { knownAddress } from '../../http/addresses.ts'
import { ipPrefix, plainAddress } from '../../net/addresses.ts'

/** The account that a login attempt is for. `user` is null if no user has this e-mail address. */
interface AttemptedAccount {
  readonly email: string
  readonly user: User | null
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts an attempt to sign in or sign up from the request's address. Throws SignInLimited if there have been too
     * many attempts, or LimitUndecided if they can't be counted. `limitAccount` and `limitUser` throw the same errors.
     */
    limitAddress: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
    /**
     * Counts an attempt to sign in to an account. If it comes from one of the user's known locations, only attempts
     * from the same IP prefix are limited, so that attempts from elsewhere can't lock the user out.
     */
    limitAccount: (request: FastifyRequest, reply: FastifyReply, account: AttemptedAccount) => Promise<void>
    /** Counts a signed-in user's attempt to confirm the password. */
    limitUser: (reply: FastifyReply, userId: number) => Promise<void>
  }
}

const MINUTE = 60
const TEN_MINUTES = 10 * MINUTE

/** The maximum number of counters for each limit. This keeps memory usage below 32 MB during an attack. */
const MAX_COUNTED = 50_000

/** Limits login attempts. */
export default fp(
  async fastify => {
    // In memory, each limit has separate counters, so that a flood of counters for one limit can't evict those of
    // others.
    const limit = (name: string, max: number, seconds: number): LoginAttemptLimit =>
      createLoginAttemptLimit(
        name,
        { max, seconds },
        fastify.counters ?? createMemoryCounters({ maxKeys: MAX_COUNTED })
      )
    // The limits for attempts to sign in to an account: from one IP prefix, and from all prefixes together.
    const accountLimits = () => ({ pair: limit('pair', 20, TEN_MINUTES), account: limit('account', 100, TEN_MINUTES) })

    const addresses = limit('address', 60, MINUTE)
    const users = limit('user', 20, TEN_MINUTES)
    // These are separate, so that a flood of unknown e-mail addresses can't evict the counters of existing accounts.
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
