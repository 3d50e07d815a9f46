import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { freePort, missing } from './services.ts'

const USUAL = 'redis://127.0.0.1:6379'

/**
 * A REDIS_URL for a test whose keys have a prefix of their own and are removed when the test ends. The server is that
 * of TEST_REDIS_URL, else that of 127.0.0.1:6379. Null: there is none, which was said; with CI_DEMANDS_SERVICES=1 that
 * is a failure.
 */
export const redisUrl = async (t: Test): Promise<string | null> => {
  const named = process.env['TEST_REDIS_URL'] ?? ''
  const server = named === '' ? USUAL : named
  if (named === '' && !(await answers(USUAL))) return missing(t, 'Redis', 'TEST_REDIS_URL')
  const keyPrefix = `test-${randomBytes(8).toString('hex')}:`
  t.teardown(async () => {
    await withRedis(server, async redis => {
      for await (const keys of redis.scanStream({ match: `${keyPrefix}*` }) as AsyncIterable<string[]>) {
        if (keys.length > 0) await redis.del(...keys)
      }
    })
  })
  const url = new URL(server)
  url.searchParams.set('keyPrefix', keyPrefix)
  return url.href
}

/** Does something with a Redis over a connection of its own, which is tried once. */
export const withRedis = async <T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> => {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null })
  // What fails is told by what was asked.
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}

const answers = async (url: string): Promise<boolean> =>
  await withRedis(url, async redis => await redis.ping()).then(
    () => true,
    () => false
  )

/** A Redis that a test may stop. */
export interface OwnRedis {
  readonly url: string
  /** Starts it, and resolves when it answers. */
  readonly start: () => Promise<void>
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>
}

/** A Redis on a free port that is not started yet, and is stopped when the test ends; null as for `redisUrl`. */
export const ownRedis = async (t: Test, password = ''): Promise<OwnRedis | null> => {
  if (spawnSync('redis-server', ['--version']).status !== 0) return missing(t, 'program redis-server', 'PATH')
  const port = await freePort()
  const url = `redis://${password === '' ? '' : `:${password}@`}127.0.0.1:${port}`
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  let server: ChildProcess | undefined
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }
  t.teardown(async () => {
    await kill()
  })
  return {
    url,
    kill,
    start: async () => {
      server = spawn('redis-server', [...args, ...(password === '' ? [] : ['--requirepass', password])], {
        stdio: 'ignore'
      })
      while (!(await answers(url))) {
        if (server.exitCode !== null) throw new Error(`the Redis of the test ended with ${server.exitCode}`)
        await pause(20)
      }
    }
  }
}
