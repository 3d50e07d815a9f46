import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor, RateLimitPluginOptions } from '@fastify/rate-limit'
import type { Counters } from '../domain/counters.ts'

/** The options of `@fastify/rate-limit` that say where it counts; none: in the memory of the process. */
export type CountedIn = Pick<RateLimitPluginOptions, 'store' | 'redis' | 'nameSpace'>

/** A store of `@fastify/rate-limit` that counts where every node does. */
export const counterStore = (counters: Counters): FastifyRateLimitStoreCtor =>
  class implements FastifyRateLimitStore {
    incr(...[key, callback, timeWindow]: Parameters<FastifyRateLimitStore['incr']>): void {
      counters.hit(`rate:${key}`, timeWindow / 1000).then(({ hits, ttlMs }) => {
        callback(null, { current: hits, ttl: ttlMs })
      }, callback)
    }

    child(): this {
      return this
    }
  }
