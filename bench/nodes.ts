import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage, Agent } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { compiledServer } from './compiled.ts'

const GIVE_UP_AFTER_MS = 20_000
const PAUSE_MS = 1

/** The service as it is shipped, in a process of its own. */
export interface Node {
  readonly port: number
  readonly end: () => Promise<void>
}

/** Starts `node dist/server.js` on a free port, and resolves with its first good answer. */
export const startNode = async (folder: string, env: NodeJS.ProcessEnv): Promise<Node> => {
  const port = await freePort()
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
  const end = async (): Promise<void> => {
    process.off('exit', kill)
    if (hasEnded(service)) return
    service.kill('SIGTERM')
    await once(service, 'exit')
  }
  while (!(await isReady(port))) {
    if (hasEnded(service) || performance.now() - start > GIVE_UP_AFTER_MS) {
      await end()
      throw new Error('the service did not become ready')
    }
    await setTimeout(PAUSE_MS)
  }
  return { port, end }
}

/** Gives a piece of work a number of nodes that differ in nothing, and ends them when it is over. */
export const withNodes = async <T>(
  number: number,
  folder: string,
  env: NodeJS.ProcessEnv,
  work: (nodes: readonly Node[]) => Promise<T>
): Promise<T> => {
  const nodes: Node[] = []
  try {
    for (let i = 0; i < number; i++) nodes.push(await startNode(folder, env))
    return await work(nodes)
  } finally {
    await Promise.all(
      nodes.map(async node => {
        await node.end()
      })
    )
  }
}

export interface Call {
  readonly port: number
  readonly method: string
  readonly path: string
  readonly token: string
  readonly body?: object
  readonly agent: Agent
}

/** Asks a node, and answers the JSON of its reply. Throws for any status but 200 and 201. */
export const call = async <Reply>({ port, method, path, token, body, agent }: Call): Promise<Reply> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent })
  asked.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const reply = await json(response)
  if (response.statusCode !== 200 && response.statusCode !== 201) {
    throw new Error(`${method} ${path} was answered ${response.statusCode}: ${JSON.stringify(reply)}`)
  }
  return reply as Reply
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

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
