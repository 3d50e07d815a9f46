import type { AddressInfo } from 'node:net'
import { answerParent } from './child.ts'
import { compiled } from './compiled.ts'
import type { Credentials } from './credentials.ts'
import { urlOf } from './database-url.ts'
import { addPeers } from './peers.ts'

// A process of its own: the compiled service, and beside its routes those that it is compared with.

const SAMPLE_INTERVAL_MS = 5

export interface Setting {
  /** The path of an SQLite database, or the URL of a PostgreSQL one. */
  database: string
  credentials: Credentials
  /** The proxies whose X-Forwarded-For is believed. */
  trustProxy?: string
  /** Whether the service counts for `GET /metrics`. */
  metrics?: boolean
  redisUrl?: string
}

let before = 0
let peak = 0

const answers = {
  /** Starts the service on a free port of the loopback address, and answers the port. */
  listen: async ({
    database,
    credentials,
    trustProxy = 'false',
    metrics = false,
    redisUrl = ''
  }: Setting): Promise<number> => {
    const { createServer } = await compiled('app.js')
    const fastify = await createServer({
      CLIENT_SECRET: credentials.clientSecret,
      CLIENT_KEYS: credentials.clientKey,
      DATABASE_URL: urlOf(database),
      REDIS_URL: redisUrl,
      TRUST_PROXY: trustProxy,
      ...(metrics && { METRICS_PORT: '0' }),
      LOG_LEVEL: 'warn'
    })
    await fastify.register(addPeers, credentials)
    await fastify.listen({ host: '127.0.0.1', port: 0 })
    return (fastify.server.address() as AddressInfo).port
  },

  /** The time that the processor has worked for this process, in µs. */
  cpu: (): number => {
    const { user, system } = process.cpuUsage()
    return user + system
  },

  watchMemory: (): void => {
    before = peak = process.memoryUsage.rss()
    setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss())
    }, SAMPLE_INTERVAL_MS)
  },

  /** By how many bytes resident memory has grown at most since it has been watched. */
  memoryGrowth: (): number => peak - before,

  /** The bytes of resident memory now. */
  memory: (): number => process.memoryUsage.rss()
}

export type ServerAnswers = typeof answers

answerParent(answers)
