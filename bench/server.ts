import type { AddressInfo } from 'node:net'
import { answerParent, processorTime } from './child.ts'
import { compiled } from './compiled.ts'
import type { Credentials } from './credentials.ts'
import { addPeers } from './peers.ts'

// A process of its own: the compiled service, and beside its routes those that it is compared with.

const KIB = 1024

export interface Setting {
  /** The DATABASE_URL. */
  url: string
  credentials: Credentials
  /** Further variables of the environment. */
  env?: Record<string, string>
}

let before = 0

const answers = {
  /** Starts the service on a free port of the loopback address, and answers its origin. */
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

  /** By how many bytes resident memory has grown at most since it has been watched. */
  memoryGrowth: (): number => process.resourceUsage().maxRSS * KIB - before
}

export type ServerAnswers = typeof answers

answerParent(answers)
