import type { Redis } from 'ioredis'
import type { Counters } from '../../domain/counters.ts'

export interface RedisHooks {
  /** Called once when Redis stops responding, with the reason. The reason contains no credentials. */
  readonly onLost: (reason: LossReason) => void
  /** Called when Redis responds again. */
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

/** The prefix of every key of this service. */
export const REDIS_PREFIX = 'trivial:'

// Commands fail if they can't be sent immediately, because no request waits for a hit that is counted later.
const AT_ONCE = { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 }

/** How long a command waits for its response, in milliseconds. */
const COMMAND_TIMEOUT_MS = 200

// How long to wait for a server that disappeared without closing the connection. The operating system would wait for
// minutes.
const SILENT_PEER = { connectTimeout: 2000, socketTimeout: 2000 }

/**
 * Connects to Redis. While it doesn't respond, commands fail immediately, and the connection is retried at least every
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
    // After a failover, the server at the other end of the connection may have become a replica.
    reconnectOnError: ({ message }) => message.startsWith('READONLY')
  })
  const unwatch = watch(redis, hooks)
  // `onLost` has reported the failure, and the client keeps trying to connect.
  await redis.connect().catch(() => {})

  return {
    counters: createRedisCounters(redis),
    close: () => {
      unwatch()
      redis.disconnect()
    }
  }
}

// The start of a window is stored, so that it stays the same if the window's length changes. A window that starts in
// the future began before the clock was set back, so it counts as over.
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

/** Creates counters in Redis. Each hit takes a single script, which Redis runs atomically. */
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

/** Reports each loss once. Returns a function that stops the reports. */
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
