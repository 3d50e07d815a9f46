import type { AddressInfo } from 'node:net'
import { serveParent, processorTime } from './child.ts'
import { compiled } from './compiled.ts'
import type { Credentials } from './credentials.ts'
import { addPeers } from './peers.ts'

// Runs the compiled service, with additional routes to compare, in a separate process.

const KIB = 1024

export interface Setting {
  /** The DATABASE_URL. */
  url: string
  credentials: Credentials
  /** Additional environment variables. */
  env?: Record<string, string>
}

let before = 0

const functions = {
  /** Starts the service on a free port of the loopback address, and returns its origin. */
  listen: async ({ url, credentials, env = {} }: Setting): Promise<string> => {
    const { createServer } = await compiled('app.js')
    const fastify = await createServer({
      CLIENT_SECRET: credentials.clientSecret,
      CLIENT_KEYS: credentials.clientKey,
      DATABASE_URL: url,
      LOG_LEVEL: 'warn',
      ...env
    })
    await fastify.register(addPeers, credentials)
    await fastify.listen({ host: '127.0.0.1', port: 0 })
    return `http://127.0.0.1:${(fastify.server.address() as AddressInfo).port}`
  },

  processorTime,

  watchMemory: (): void => {
    before = process.memoryUsage.rss()
  },

  /** Returns the maximum growth of resident memory since `watchMemory` was called, in bytes. */
  memoryGrowth: (): number => process.resourceUsage().maxRSS * KIB - before
}

export type ServerFunctions = typeof functions

serveParent(functions)
