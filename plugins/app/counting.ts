import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { connectRedis } from '../../db/redis/connect.ts'
import type { Counters } from '../../domain/counters.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counters that all nodes share, or null if each process counts in its own memory. */
    counters: Counters | null
  }
}

/** Counts in Redis if `REDIS_URL` is set, in the database if several nodes can share it, and in memory otherwise. */
export default fp(
  async fastify => {
    const { REDIS_URL } = fastify.config
    const { counters = null } = fastify.storage
    fastify.decorate('counters', REDIS_URL === '' ? counters : await countInRedis(fastify, REDIS_URL))
  },
  { name: 'counting', dependencies: ['config', 'database'] }
)

const countInRedis = async (fastify: FastifyInstance, url: string): Promise<Counters> => {
  const { counters, close } = await connectRedis(url, {
    onLost: why => {
      fastify.log.warn(
        why,
        'Redis at REDIS_URL does not respond; requests with rate-limited keys and attempts to sign in are refused ' +
          'with 503 until it does'
      )
    },
    onBack: () => {
      fastify.log.info('Redis at REDIS_URL responds again')
    }
  })
  fastify.addHook('onClose', async () => {
    close()
  })
  return counters
}
