import rateLimit from '@fastify/rate-limit'
import type { FastifyRateLimitStoreCtor, RateLimitPluginOptions } from '@fastify/rate-limit'
import type {
  ClientKeyTypes,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  preHandlerHookHandler
} from 'fastify'
import fp from 'fastify-plugin'
import { bearerChallenge } from '../../http/challenge.ts'
import type { CountedIn } from '../../http/counter-store.ts'
import { createRangeCheck, plainAddress } from '../../net/addresses.ts'
import { rateLimitOf } from '../../domain/keys/client-key.ts'
import type { ClientKey, RateLimit } from '../../domain/keys/client-key.ts'
import type { UsageRecorder } from '../../domain/keys/usage-recorder.ts'
import { keyPrincipalOf } from '../../domain/keys/principal.ts'
import { covers } from '../../domain/keys/scopes.ts'
import { logRefusal } from './client-key-auth.ts'
import { AddressNotAllowed, InsufficientScope, LimitUndecided, RateLimited, UserRequired } from './client-key-errors.ts'

type ClientKeyScope = ClientKeyTypes extends { scope: infer S extends string } ? S : string

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The scope that a client key needs for the route; null: any key will do; `none`: none will, and none does where
     * the route says nothing. Every protected route says one of these.
     */
    scope?: ClientKeyScope | null | 'none'
  }

  interface FastifyInstance {
    /** An `onRequest` hook: holds a client key to its policy, and counts the request. */
    enforcePolicy: onRequestHookHandler
    /** A `preHandler` hook: the same once more, but for the counting. */
    enforcePolicyAgain: preHandlerHookHandler
  }
}

/** The class of a store of `@fastify/rate-limit`. */
export type RateLimitStore = FastifyRateLimitStoreCtor

export interface ClientKeyPolicyOptions {
  /** Records every request that is accepted or refused. */
  usage?: Pick<UsageRecorder, 'used' | 'refused'>
  /** Is called with the reason of each refusal. */
  onRefusal?: (reason: string) => void
  /** Where requests are counted, for keys that have a rate limit; the memory of this process by default. */
  countedIn?: CountedIn
}

const NOT_RECORDED: Pick<UsageRecorder, 'used' | 'refused'> = { used: () => {}, refused: () => {} }

/** At most how many keys with a rate limit are counted at a time. */
const MAX_LIMITED_KEYS = 1_000_000

const countedByKey: RateLimitPluginOptions = {
  global: false,
  cache: MAX_LIMITED_KEYS,
  keyGenerator: request => keyPrincipalOf(request).key.id,
  max: request => rateLimitOf(keyPrincipalOf(request).key).max,
  timeWindow: request => rateLimitOf(keyPrincipalOf(request).key).windowSeconds * 1000
}

/**
 * Holds client keys to their policy: `allowed_ips`, `rate_limit`, and the scope that each route declares as
 * `config.scope`. A key without limits costs nothing here but a look. Where a limit can't be told, the request is
 * refused.
 *
 * A refused request fails with ADDRESS_NOT_ALLOWED, USER_REQUIRED or INSUFFICIENT_SCOPE (403, RFC 6750), RATE_LIMITED
 * (429) or LIMIT_UNDECIDED (503).
 */
export default fp<ClientKeyPolicyOptions>(
  async (fastify, { usage = NOT_RECORDED, onRefusal, countedIn = {} }) => {
    await fastify.register(rateLimit, { ...countedByKey, ...countedIn })
    const refuse: Refuse = (request, reason) => {
      const { token } = keyPrincipalOf(request)
      usage.refused(token, reason)
      onRefusal?.(reason)
      logRefusal(request, reason, token)
    }
    const judge = createJudge(fastify.clientKeyRealm, refuse)
    const countOne = createCounter(fastify.createRateLimit(), refuse)

    const accept = (request: FastifyRequest, scope: string | null): void => {
      usage.used(keyPrincipalOf(request).token, scope, plainAddress(request.ip), request.headers['user-agent'])
    }

    fastify.decorate('enforcePolicy', (request, reply, done) => {
      const scope = judge(request, reply)
      if (scope instanceof Error) {
        done(scope)
        return
      }
      const { rateLimit } = keyPrincipalOf(request).key
      if (rateLimit === null) {
        accept(request, scope)
        done()
        return
      }
      countOne(request, reply, rateLimit)
        .then(excess => {
          if (excess === undefined) accept(request, scope)
          return excess
        })
        .then(done, done)
    })

    fastify.decorate('enforcePolicyAgain', (request, reply, done) => {
      const scope = judge(request, reply)
      done(scope instanceof Error ? scope : undefined)
    })
  },
  { name: 'client-key-policy', fastify: '5.x', dependencies: ['client-key-auth'] }
)

// Loaded by client-keys.ts, which knows where it is recorded, and by client-key-plugin.ts for other services.
export const autoload = false

const rangeChecks = new WeakMap<ClientKey, (address: string) => boolean>()

const isAllowed = (key: ClientKey, address: string): boolean => {
  const isInRange = rangeChecks.get(key) ?? createRangeCheck(key.allowedIps)
  rangeChecks.set(key, isInRange)
  return isInRange(address)
}

type Refuse = (request: FastifyRequest, reason: string) => void

/** The scope under which the key is accepted, null where any key is; or why it is refused. */
type Judge = (request: FastifyRequest, reply: FastifyReply) => string | null | Error

const createJudge =
  (realm: string, refuse: Refuse): Judge =>
  (request, reply) => {
    const { key } = keyPrincipalOf(request)
    if (key.allowedIps.length > 0 && !isAllowed(key, request.ip)) {
      refuse(request, 'address_not_allowed')
      return new AddressNotAllowed()
    }
    const { scope = 'none' } = request.routeOptions.config
    if (scope === 'none') {
      refuse(request, 'user_required')
      return new UserRequired()
    }
    if (scope === null || covers(key.scopes, scope)) return scope
    refuse(request, 'insufficient_scope')
    reply.header('www-authenticate', bearerChallenge(realm, 'insufficient_scope', scope))
    return new InsufficientScope(scope)
  }

/** Counts a request; answers why it is refused. */
type Counter = (request: FastifyRequest, reply: FastifyReply, limit: RateLimit) => Promise<Error | undefined>

const createCounter =
  (count: ReturnType<FastifyInstance['createRateLimit']>, refuse: Refuse): Counter =>
  async (request, reply, { max, windowSeconds }) => {
    const counted = await count(request).catch((cause: unknown) => ({ cause }))
    if ('cause' in counted || counted.isAllowed) {
      refuse(request, 'limit_undecided')
      return Object.assign(new LimitUndecided(), counted)
    }
    const { remaining, ttlInSeconds, isExceeded } = counted
    reply
      .header('ratelimit-policy', `"client_key";q=${max};w=${windowSeconds}`)
      .header('ratelimit', `"client_key";r=${remaining};t=${ttlInSeconds}`)
    if (!isExceeded) return undefined
    refuse(request, 'rate_limited')
    reply.header('retry-after', ttlInSeconds)
    return new RateLimited()
  }
