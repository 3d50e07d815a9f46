import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { root } from './compiled.ts'
import { createDatabase } from './postgres.ts'
import type { End, Setup } from './setup.ts'

const GIVE_UP_AFTER_MS = 20_000
const PAUSE_MS = 1

/** The shipped service, in a separate process. */
export interface Node {
  readonly origin: string
  /** Stops the service. Can be called more than once. */
  readonly end: End
}

/** Starts `node dist/server.js` on a free port, and resolves after its first successful response. */
export const startNode = async ({ folder, credentials, defer }: Setup, url: string): Promise<Node> => {
  const port = await freePort()
  const service = spawn(process.execPath, [join(root, 'dist/server.js')], {
    cwd: folder,
    env: {
      CLIENT_SECRET: credentials.clientSecret,
      CLIENT_KEYS: credentials.clientKey,
      DATABASE_URL: url,
      LOG_LEVEL: 'warn',
      PORT: String(port)
    },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const exit = once(service, 'exit')
  const hasEnded = (): boolean => service.exitCode !== null || service.signalCode !== null
  const end = async (): Promise<void> => {
    service.kill('SIGTERM')
    await exit
  }
  defer(end)
  const origin = `http://127.0.0.1:${port}`
  const start = performance.now()
  while (!(await accepts(port))) {
    if (hasEnded() || performance.now() - start > GIVE_UP_AFTER_MS) throw new Error('the service does not listen')
    await setTimeout(PAUSE_MS)
  }
  const { ok } = await fetch(`${origin}/ready`)
  if (!ok) throw new Error('the service is not ready')
  return { origin, end }
}

/** Starts the given number of nodes with a new PostgreSQL database. Returns their origins and the database's URL. */
export const startNodes = async (
  setup: Setup,
  server: string,
  number: number
): Promise<{ origins: string[]; url: string }> => {
  const url = await createDatabase(setup, server)
  const origins: string[] = []
  for (let i = 0; i < number; i++) origins.push((await startNode(setup, url)).origin)
  return { origins, url }
}

// Uses a socket, because an HTTP client would take processor time from the service that is starting.
const accepts = async (port: number): Promise<boolean> =>
  await new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
