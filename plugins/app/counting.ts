import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { connectRedis, REDIS_PREFIX } from '../../db/redis/connect.ts'
import type { Counters } from '../../domain/counters.ts'
import { counterStore } from '../../http/counter-store.ts'
import type { CountedIn } from '../../http/counter-store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where requests and attempts are counted whose number is limited. */
    counting: Counting
  }
}

interface Counting {
  /** Counters that every node shares; null: this process counts in its own memory. */
  readonly counters: Counters | null
  /** The same for `@fastify/rate-limit`. */
  readonly countedIn: CountedIn
}

/** Counts in Redis where there is a REDIS_URL, else in a database that several nodes may share, else in memory. */
export default fp(
  async fastify => {
    const { REDIS_URL } = fastify.config
    const { counters } = fastify.storage
    if (REDIS_URL !== '') fastify.decorate('counting', await countingInRedis(fastify, REDIS_URL))
    else if (counters === undefined) fastify.decorate('counting', { counters: null, countedIn: {} })
    else fastify.decorate('counting', { counters, countedIn: { store: counterStore(counters) } })
  },
  { name: 'counting', dependencies: ['config', 'database'] }
)

const countingInRedis = async (fastify: FastifyInstance, url: string): Promise<Counting> => {
  const { redis, counters, close } = await connectRedis(url, {
    onLost: why => {
      fastify.log.warn(
        why,
        'the Redis of REDIS_URL does not answer: requests of keys with a rate limit and attempts to sign in are ' +
          'refused with 503 until it does'
      )
    },
    onBack: () => {
      fastify.log.info('the Redis of REDIS_URL answers again')
    }
  })
  fastify.addHook('onClose', async () => {
    close()
  })
  return { counters, countedIn: { redis, nameSpace: `${REDIS_PREFIX}rate:` } }
}
