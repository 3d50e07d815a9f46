import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { CommandError } from '../../cli/failures.ts'
import { Config } from '../../config/schema.ts'
import { pathOf } from '../../paths.ts'

const LISTENING = /Server listening at http:\/\/[^\s"]*:(\d+)/

/** A node: the service in a separate process. */
export interface Node {
  readonly name: string
  readonly base: string
  /** Pauses the node, as if its machine hung. */
  readonly freeze: () => void
  /** Resumes the node. */
  readonly thaw: () => void
  /** Stops the node with SIGTERM, and resolves when it has exited. */
  readonly stop: () => Promise<void>
  /** Resolves when the node has exited, for any reason. */
  readonly ended: Promise<void>
}

// Blank values override .env and the environment, because settings there, such as METRICS_PORT, are for another
// service.
const DEFAULTS = Object.fromEntries(Object.keys(Config.properties).map(name => [name, '']))

/**
 * Starts a node on a free port. Throws a CommandError with the node's output if it exits before it starts listening.
 */
export const startNode = async (name: string, env: NodeJS.ProcessEnv): Promise<Node> => {
  const child = spawn('sh', [pathOf('build/run.sh'), 'server.js'], {
    env: { ...process.env, ...DEFAULTS, ...env, NODE_NAME: name, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ensures that Ctrl-C reaches only the parent process, which then stops the nodes in order.
    detached: true
  })
  const ended = once(child, 'exit').then(() => {})
  const port = await portOf(child, name)
  return {
    name,
    base: `http://127.0.0.1:${port}`,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    stop: async () => {
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      await ended
    },
    ended
  }
}

const portOf = async ({ stdout, stderr }: ChildProcess, name: string): Promise<number> => {
  let printed = ''
  const note = (text: string): void => {
    printed += text
  }
  const streams = [stdout, stderr].filter((stream): stream is Readable => stream !== null)
  for (const stream of streams) stream.setEncoding('utf8').on('data', note)
  for (;;) {
    const port = LISTENING.exec(printed)?.[1]
    if (port !== undefined) {
      // Output is discarded from here on, because a full pipe would block the node.
      for (const stream of streams) stream.off('data', note).resume()
      return Number(port)
    }
    if (streams.every(stream => stream.readableEnded)) throw new CommandError(`${name} did not start:\n\n${printed}`)
    await Promise.race(streams.filter(stream => !stream.readableEnded).flatMap(eventOf))
  }
}

const eventOf = (stream: Readable): Promise<unknown>[] => [once(stream, 'data'), once(stream, 'end')]
