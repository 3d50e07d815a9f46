import { randomBytes } from 'node:crypto'
import { command, DONE } from '../../cli/command.ts'
import { CommandError, UsageError } from '../../cli/failures.ts'
import { table } from '../../cli/table.ts'
import type { Terminal } from '../../cli/terminal.ts'
import { createTokenSealer, issueClientKey } from '../../domain/keys/token/token.ts'
import { createDatabase } from './database.ts'
import { showLease, showRevocation } from './demonstration.ts'
import type { Cluster } from './demonstration.ts'
import { startNode } from './nodes.ts'
import type { Node } from './nodes.ts'
import { startProxy } from './proxy.ts'

const DEFAULT_NODES = '3'

export default command({
  description: `Shows that all nodes refuse a revoked key immediately. Starts nodes with one PostgreSQL behind a proxy,
issues a key, revokes it, and shows the receipt and how each node then replies. Does the same while a node is stopped.
The nodes run until you press Ctrl-C.

Uses the PostgreSQL server of DATABASE_URL if it specifies one, or else the server on this machine. Creates a database,
and drops it at the end.`,

  options: {
    nodes: { value: '<n>', help: 'the number of nodes, from 1 to 9 (default: 3)' },
    once: { help: 'exit after one key was revoked' }
  },

  run: async ({ nodes: count = DEFAULT_NODES, once = false }, terminal) => {
    if (!/^[1-9]$/.test(count)) throw new UsageError('--nodes must be a number from 1 to 9.')
    const stopped = stopSignal()
    const undo: (() => Promise<unknown>)[] = []
    try {
      const cluster = await start(Number(count), terminal, undo)
      await Promise.race([once ? showRevocation(cluster, terminal) : showAll(cluster, terminal), stopped])
    } finally {
      for (const each of undo.reverse()) await each()
    }
    return DONE
  }
})

/**
 * Resolves when the process receives a signal to stop. The signal itself doesn't terminate the process, which can
 * therefore clean up first.
 */
const stopSignal = async (): Promise<void> => {
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        resolve()
      })
    }
  })
}

/** Creates the database, and starts the nodes and the proxy. Adds to `undo` the functions that reverse these steps. */
const start = async (count: number, terminal: Terminal, undo: (() => Promise<unknown>)[]): Promise<Cluster> => {
  const database = await createDatabase(terminal.environment())
  undo.push(database.drop)
  terminal.progress(`Starting ${nodesText(count)} …`)

  const secret = randomBytes(32).toString('hex')
  const { keyId, keyAccessToken: token } = issueClientKey(createTokenSealer(secret))
  const { DATABASE_CA } = terminal.environment()
  const env = { CLIENT_SECRET: secret, CLIENT_KEYS: keyId, DATABASE_URL: database.url, DATABASE_CA }
  const running: Node[] = []
  undo.push(
    async () =>
      await Promise.all(
        running.map(async node => {
          await node.stop()
        })
      )
  )
  const starts = await Promise.allSettled(
    Array.from({ length: count }, async (_, index) => running.push(await startNode(`node ${index + 1}`, env)))
  )
  for (const result of starts) if (result.status === 'rejected') throw result.reason
  const nodes = running.sort((a, b) => a.name.localeCompare(b.name))

  const proxy = await startProxy(nodes.map(({ base }) => base))
  undo.push(proxy.close)
  terminal.print(`${nodesText(count)} with the database ${database.name} at ${database.server}, behind a proxy:

${table([...nodes, { name: 'proxy', base: proxy.base }].map(({ name, base }) => ['    ', name, base]))}
`)
  return { nodes, base: proxy.base, token }
}

const nodesText = (count: number): string => (count === 1 ? '1 node' : `${count} nodes`)

const showAll = async (cluster: Cluster, terminal: Terminal): Promise<void> => {
  await showRevocation(cluster, terminal)
  await showLease(cluster, terminal)
  terminal.print(`The nodes are still running. Try them yourself:

     curl ${cluster.base}/nodes -H 'Authorization: Bearer ${cluster.token}'

Explore the API: ${cluster.base}/docs
Press Ctrl-C to stop.`)
  const name = await Promise.race(
    cluster.nodes.map(async node => {
      await node.ended
      return node.name
    })
  )
  throw new CommandError(`${name} ended unexpectedly. Start a node with npm start to see its log.`)
}
