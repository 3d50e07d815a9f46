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
 * Returns a REDIS_URL with a unique key prefix. The keys with this prefix are deleted when the test ends. Uses the
 * server that TEST_REDIS_URL specifies, or else the server at 127.0.0.1:6379. If no server is available, skips the test
 * and returns null, or throws if CI_DEMANDS_SERVICES=1.
 */
export const redisUrl = async (t: Test): Promise<string | null> => {
  const named = process.env['TEST_REDIS_URL'] ?? ''
  const server = named === '' ? USUAL : named
  if (named === '' && !(await responds(USUAL))) return missing(t, 'Redis', 'TEST_REDIS_URL')
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

/** Calls `use` with a separate connection to a Redis server. If the connection is lost, it isn't reopened. */
export const withRedis = async <T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> => {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null })
  // This event is ignored, because the command rejects too.
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}

const responds = async (url: string): Promise<boolean> =>
  await withRedis(url, async redis => await redis.ping()).then(
    () => true,
    () => false
  )

/** A Redis server that a test may stop. */
export interface OwnRedis {
  readonly url: string
  /** Starts the server. Resolves when it responds. */
  readonly start: () => Promise<void>
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>
}

/**
 * Returns a Redis server that a test can start on a free port, and stops it when the test ends. If the program isn't
 * installed, skips the test and returns null, or throws if CI_DEMANDS_SERVICES=1.
 */
export const ownRedis = async (t: Test, password = ''): Promise<OwnRedis | null> => {
  if (spawnSync('redis-server', ['--version']).status !== 0) return missing(t, 'redis-server program', 'PATH')
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
      while (!(await responds(url))) {
        if (server.exitCode !== null) throw new Error(`the test's Redis server ended with ${server.exitCode}`)
        await pause(20)
      }
    }
  }
}
