import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { compiledServer, root } from './compiled.ts'
import type { Credentials } from './credentials.ts'
import type { Plan } from './plan.ts'
import { atMost, inUnit } from './report.ts'
import type { Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import { median } from './statistics.ts'

const MAX_START_MS = 350
const MAX_COMMAND_MS = 600
const GIVE_UP_AFTER_MS = 10_000
const PAUSE_MS = 1

/** How long the service takes from being started to its first good answer, and a command until it has ended. */
export const measureStart = async ({ starts }: Plan, folder: string, credentials: Credentials): Promise<Row[]> => {
  const env = {
    CLIENT_SECRET: credentials.clientSecret,
    CLIENT_KEYS: credentials.clientKey,
    DATABASE_URL: `file:${join(folder, 'start.db')}`,
    LOG_LEVEL: 'warn'
  }
  const taken = await takeInRounds(starts, {
    service: async () => await startService(folder, env, await freePort()),
    command: async () => await issueKey(env),
    node: async () => await startNode(folder)
  })
  return [
    atMost('Start of `node dist/server.js` to its first answer', median(taken.service), MAX_START_MS, 'ms', 0),
    atMost('`npm run key:issue`', median(taken.command), MAX_COMMAND_MS, 'ms', 0),
    { what: '– of each, `node -e 0` takes', result: inUnit(median(taken.node), 'ms', 0) }
  ]
}

const startService = async (folder: string, env: NodeJS.ProcessEnv, port: number): Promise<number> => {
  const start = performance.now()
  const service = spawn(process.execPath, [compiledServer], {
    cwd: folder,
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const kill = (): void => {
    service.kill('SIGKILL')
  }
  process.once('exit', kill)
  try {
    while (!(await isReady(port))) {
      if (hasEnded(service) || performance.now() - start > GIVE_UP_AFTER_MS) {
        throw new Error('the service did not become ready')
      }
      await setTimeout(PAUSE_MS)
    }
    return performance.now() - start
  } finally {
    await end(service)
    process.off('exit', kill)
  }
}

const issueKey = async (env: NodeJS.ProcessEnv): Promise<number> => {
  const start = performance.now()
  const command = spawn('npm', ['run', '--silent', 'key:issue'], {
    cwd: root,
    env: { ...env, PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const [code] = (await once(command, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`npm run key:issue ended with ${String(code)}`)
  return performance.now() - start
}

const startNode = async (folder: string): Promise<number> => {
  const start = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { cwd: folder, env: {}, stdio: 'ignore' }), 'exit')
  return performance.now() - start
}

// By a bare socket: an HTTP client would take processor time from the service that starts.
const isReady = async (port: number): Promise<boolean> =>
  await new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    })
    socket.once('data', data => {
      resolve(data.toString('latin1').startsWith('HTTP/1.1 200 '))
      socket.destroy()
    })
    socket.once('error', () => {
      resolve(false)
    })
    socket.once('close', () => {
      resolve(false)
    })
  })

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const end = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
