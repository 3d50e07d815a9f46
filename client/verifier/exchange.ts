import http from 'node:http'
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import https from 'node:https'
import { VerifierUnavailable } from './errors.ts'
import type { VerifierSettings } from './options.ts'

export interface Reply {
  readonly status: number
  readonly body: string
}

/** Sends requests to the service. */
export interface Exchange {
  /** Sends a JSON body. Rejects with VerifierUnavailable unless a complete reply arrives in time. */
  readonly post: (body: string) => Promise<Reply>
  /** Waits for running requests, and closes all connections. */
  readonly close: () => Promise<void>
}

/** Further requests wait for a connection, and their time-out includes that time. */
const MAX_CONNECTIONS = 64
/** Idle connections are closed after this time, which is shorter than the time after which the service does so. */
const IDLE_MS = 30_000
/** Larger than any reply to a batch, because metadata is limited to 4 KiB per key. */
const MAX_REPLY = 4 * 1024 * 1024

/** A connection that the service closed while it was idle, so that the service hasn't received the request. */
class StaleConnection extends Error {}

export const createExchange = (settings: VerifierSettings): Exchange => {
  const { endpoint, timeoutMs } = settings
  const { start, agent } = createStarter(settings)
  const running = new Set<Promise<unknown>>()

  const exchange = async (body: string): Promise<Reply> => {
    const deadline = createDeadline(timeoutMs)
    const attempt = async (agent: Agent | false): Promise<Reply> =>
      await Promise.race([deadline.passed, send(deadline.watch(start(agent)), body)])
    try {
      return await attempt(agent).catch(async (error: unknown) => {
        if (!(error instanceof StaleConnection)) throw error
        return await attempt(false)
      })
    } catch (cause) {
      throw new VerifierUnavailable(`the service at ${endpoint.origin} can't be asked: ${reasonOf(cause)}`, { cause })
    } finally {
      deadline.clear()
    }
  }

  return {
    post: body => {
      const posted = exchange(body)
      running.add(posted)
      const end = (): void => {
        running.delete(posted)
      }
      posted.then(end, end)
      return posted
    },
    close: async () => {
      await Promise.allSettled(running)
      agent.destroy()
    }
  }
}

interface Starter {
  readonly agent: Agent
  /** Begins a request on a connection of the agent, or on one of its own. */
  readonly start: (agent: Agent | false) => ClientRequest
}

const createStarter = ({ endpoint, keyAccessToken, ca }: VerifierSettings): Starter => {
  const isSecure = endpoint.protocol === 'https:'
  const { request, Agent } = isSecure ? https : http
  const options = {
    method: 'POST',
    headers: {
      authorization: `Bearer ${keyAccessToken}`,
      'content-type': 'application/json',
      accept: 'application/json'
    },
    ...(isSecure && ca !== undefined && { ca: ca as string })
  }
  return {
    agent: new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MS }),
    start: agent => request(endpoint, { ...options, agent })
  }
}

interface Deadline {
  /** Rejects when the time is over. */
  readonly passed: Promise<never>
  /** Destroys the request when the time is over. */
  readonly watch: (request: ClientRequest) => ClientRequest
  readonly clear: () => void
}

const createDeadline = (timeoutMs: number): Deadline => {
  let current: ClientRequest | undefined
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no reply within ${timeoutMs} ms`))
      current?.destroy()
    }, timeoutMs)
  })
  return {
    passed,
    watch: request => (current = request),
    clear: () => {
      clearTimeout(timer)
    }
  }
}

const CLOSED = ['ECONNRESET', 'EPIPE']

const send = async (request: ClientRequest, body: string): Promise<Reply> =>
  await new Promise((resolve, reject) => {
    request.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && CLOSED.includes(String(error.code))
      reject(isStale ? new StaleConnection(error.message, { cause: error }) : error)
    })
    // Without a response, the connection closed unexpectedly, such as after a switch to another protocol.
    const onClose = (): void => {
      reject(new Error('the connection closed without a reply'))
    }
    request.on('close', onClose)
    request.on('response', response => {
      request.off('close', onClose).removeAllListeners('error').on('error', reject)
      collect(response, resolve, reject)
    })
    request.setHeader('content-length', Buffer.byteLength(body)).end(body)
  })

const collect = (response: IncomingMessage, resolve: (reply: Reply) => void, reject: (error: Error) => void): void => {
  let body = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    body += text
    if (body.length > MAX_REPLY) response.destroy(new Error('the reply is too long'))
  })
  response.on('error', reject)
  response.on('end', () => {
    resolve({ status: Number(response.statusCode), body })
  })
}

/** Returns the code of a network error, or the message of another one. */
const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
