import type { Redis } from 'ioredis'
import type { Counters } from '../../domain/counters.ts'

export interface RedisHooks {
  /** Redis does not answer, and why; once until it does again. No credential is in it. */
  readonly onLost: (reason: LossReason) => void
  /** Redis answers again. */
  readonly onBack: () => void
}

export interface LossReason {
  readonly code: string | undefined
  readonly reason: string
}

export interface RedisConnection {
  readonly counters: Counters
  readonly close: () => void
}

/** What every key of this service begins with. */
export const REDIS_PREFIX = 'trivial:'

// What can't be told at once is refused; a count that is made later would be one that nobody knows of.
const AT_ONCE = { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 }

/** For how many milliseconds a command waits for its reply. */
const COMMAND_TIMEOUT_MS = 200

// A peer that is away without a word is given up after this, and not when the system does, which takes minutes.
const SILENT_PEER = { connectTimeout: 2000, socketTimeout: 2000 }

/**
 * Connects to a Redis. Where it does not answer, commands fail at once until it does; it is tried again at least every
 * 2 seconds.
 */
export const connectRedis = async (
  url: string,
  hooks: RedisHooks,
  { commandTimeout = COMMAND_TIMEOUT_MS } = {}
): Promise<RedisConnection> => {
  const { Redis: Client } = await import('ioredis')
  const redis = new Client(url, {
    ...AT_ONCE,
    ...SILENT_PEER,
    commandTimeout,
    // After a failover the connection may lead to what is a replica now.
    reconnectOnError: ({ message }) => message.startsWith('READONLY')
  })
  const unwatch = watch(redis, hooks)
  // `onLost` has reported it, and it is tried again.
  await redis.connect().catch(() => {})

  return {
    counters: createRedisCounters(redis),
    close: () => {
      unwatch()
      redis.disconnect()
    }
  }
}

// The start of a window is kept, so that a limit whose window is changed keeps it. A window that starts later than now
// began by a clock that was set back since: it is over.
const HIT = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[1])
local start = tonumber(redis.call('hget', KEYS[1], 'start') or nil)
if not start or start > now or start + window <= now then
  start = now
  redis.call('hset', KEYS[1], 'start', start, 'hits', 0)
end
local hits = redis.call('hincrby', KEYS[1], 'hits', 1)
redis.call('pexpire', KEYS[1], start + window - now)
return { hits, start + window - now }`

type HittingRedis = Redis & { hitCounter: (key: string, windowMs: number) => Promise<[hits: number, ttlMs: number]> }

/** Counters in Redis: each hit is one script, which Redis runs alone. */
const createRedisCounters = (redis: Redis): Counters => {
  redis.defineCommand('hitCounter', { numberOfKeys: 1, lua: HIT })
  const { hitCounter } = redis as HittingRedis
  return {
    hit: async (key, windowSeconds) => {
      const [hits, ttlMs] = await hitCounter.call(redis, REDIS_PREFIX + key, windowSeconds * 1000)
      return { hits, ttlMs }
    }
  }
}

/** Tells of each loss once. Answers what ends it. */
const watch = (redis: Redis, { onLost, onBack }: RedisHooks): (() => void) => {
  let isLost = false
  const lost = (reason: LossReason): void => {
    if (isLost) return
    isLost = true
    onLost(reason)
  }
  redis
    .on('error', ({ code, message }: NodeJS.ErrnoException) => {
      lost({ code, reason: message })
    })
    .on('close', () => {
      lost({ code: undefined, reason: 'the connection was closed' })
    })
    .on('ready', () => {
      if (isLost) onBack()
      isLost = false
    })
  return () => {
    isLost = true
  }
}
