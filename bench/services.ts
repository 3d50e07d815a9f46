import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import pg from 'pg'

const POSTGRES = 'postgres://postgres@127.0.0.1:5432/postgres'
const REDIS = 'redis://127.0.0.1:6379'

const named = (variable: string, usual: string): string => {
  const value = process.env[variable] ?? ''
  return value === '' ? usual : value
}

/** Uses a connection to PostgreSQL, and closes it. */
export const withConnection = async <T>(
  config: pg.ClientConfig,
  use: (client: pg.Client) => Promise<T>
): Promise<T> => {
  const client = new pg.Client(config)
  // What is lost is told by what was asked.
  client.on('error', () => {})
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

const execute = async (url: string, statement: string): Promise<void> => {
  await withConnection({ connectionString: url }, async client => await client.query(statement))
}

/** The URL of the PostgreSQL that the bench may make databases on: TEST_POSTGRES_URL's, else this machine's. */
export const findPostgres = async (): Promise<string | null> => {
  const server = named('TEST_POSTGRES_URL', POSTGRES)
  return await execute(server, 'select 1').then(
    () => server,
    () => null
  )
}

const drops = new Set<() => Promise<void>>()

/** Drops what work that was broken off has left. */
export const dropDatabases = async (): Promise<void> => {
  await Promise.all(
    [...drops].map(async drop => {
      await drop()
    })
  )
}

/** Gives a piece of work the URL of a new and empty database, which is dropped when it is over. */
export const withPostgres = async <T>(server: string, work: (url: string) => Promise<T>): Promise<T> => {
  const name = `trivial_bench_${randomBytes(8).toString('hex')}`
  const drop = async (): Promise<void> => {
    drops.delete(drop)
    await execute(server, `drop database if exists ${name} with (force)`)
  }
  drops.add(drop)
  try {
    await execute(server, `create database ${name}`)
    const url = new URL(server)
    url.pathname = `/${name}`
    return await work(url.href)
  } finally {
    await drop()
  }
}

/**
 * Gives a piece of work a REDIS_URL whose keys are removed when it is over; null where neither TEST_REDIS_URL nor
 * this machine has a Redis.
 */
export const withRedis = async <T>(work: (url: string | null) => Promise<T>): Promise<T> => {
  const server = named('TEST_REDIS_URL', REDIS)
  const redis = new Redis(server, { lazyConnect: true, retryStrategy: null })
  redis.on('error', () => {})
  const isThere = await redis.connect().then(
    () => true,
    () => false
  )
  if (!isThere) return await work(null)
  const keyPrefix = `bench-${randomBytes(8).toString('hex')}:`
  const url = new URL(server)
  url.searchParams.set('keyPrefix', keyPrefix)
  try {
    return await work(url.href)
  } finally {
    for await (const keys of redis.scanStream({ match: `${keyPrefix}*` }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await redis.del(...keys)
    }
    redis.disconnect()
  }
}
