import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Agent, ClientRequest } from 'node:http'
import { connect, createServer } from 'node:net'
import type { Test } from 'tap'
import { run, settings } from '../helper.ts'
import type { Running, Settings } from '../helper.ts'

export const hasIpv6 = await new Promise<boolean>(resolve => {
  const probe = createServer().once('error', () => {
    resolve(false)
  })
  probe.listen(0, '::1', () => {
    probe.close(() => {
      resolve(true)
    })
  })
})

export interface Service extends Settings, Running {
  port: number
  headers: { authorization: string }
}

export const LISTENING = /Server listening at http:\/\/[^"]*?:(\d+)"/

/** Starts the server in a separate process, on a free port of 127.0.0.1. */
export const start = async (t: Test, env: Record<string, string> = {}): Promise<Service> => {
  const made = settings(t, { PORT: '0', LOG_LEVEL: 'info', ...env })
  const running = run(t, 'server.ts', { env: made.env })
  await running.prints('Server listening')
  const port = Number(LISTENING.exec(running.output().stdout)?.[1])
  return { ...made, ...running, port, headers: { authorization: `Bearer ${made.key.keyAccessToken}` } }
}

export const logLines = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)

/** Starts a POST whose body is incomplete, so that the request is in progress until the test ends it. */
export const slowPost = async ({ port, headers }: Service, agent?: Agent): Promise<ClientRequest> => {
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path: '/apps',
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    ...(agent === undefined ? {} : { agent })
  })
  request.write('{"descriptive_name":')
  // Responses to other requests show that the server has received the beginning of this one.
  await fetch(`http://127.0.0.1:${port}/up`)
  await fetch(`http://127.0.0.1:${port}/up`)
  return request
}

/** Returns whether no process listens on a port. */
export const refuses = async (port: number, host: string): Promise<boolean> => {
  const socket = connect(port, host)
  const [event] = await Promise.race([
    once(socket, 'connect').then(() => ['connect']),
    once(socket, 'error').then(() => ['error'])
  ]).catch(() => ['error'])
  socket.destroy()
  return event === 'error'
}
