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
  description: `Shows that a revoked key is refused everywhere at once: starts nodes over one PostgreSQL with a proxy in
front, issues a key, revokes it, and shows the receipt and what each node answers then. Does the same while a node is
stopped, and serves until Ctrl-C.

The server is that of DATABASE_URL where that is one of PostgreSQL, and else the one of this machine. The database is
made for this run and dropped after it.`,

  options: {
    nodes: { value: '<n>', help: 'how many nodes, 1 to 9; 3 by default' },
    once: { help: 'revoke one key and end' }
  },

  run: async ({ nodes: count = DEFAULT_NODES, once = false }, terminal) => {
    if (!/^[1-9]$/.test(count)) throw new UsageError('--nodes is a number from 1 to 9.')
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

/** Resolves when somebody wants this to stop. The signal itself ends nothing, since there is something to undo. */
const stopSignal = async (): Promise<void> => {
  await new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        resolve()
      })
    }
  })
}

/** Starts what there is to start, and adds to `undo` how to end it. */
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
  terminal.print(`${nodesText(count)} over the database ${database.name} at ${database.server}, and a proxy in front:

${table([...nodes, { name: 'proxy', base: proxy.base }].map(({ name, base }) => ['    ', name, base]))}
`)
  return { nodes, base: proxy.base, token }
}

const nodesText = (count: number): string => (count === 1 ? '1 node' : `${count} nodes`)

const showAll = async (cluster: Cluster, terminal: Terminal): Promise<void> => {
  await showRevocation(cluster, terminal)
  await showLease(cluster, terminal)
  terminal.print(`The nodes go on serving. Try them yourself:

     curl ${cluster.base}/nodes -H 'Authorization: Bearer ${cluster.token}'

Explore the API: ${cluster.base}/docs
Press Ctrl-C to stop.`)
  const name = await Promise.race(
    cluster.nodes.map(async node => {
      await node.ended
      return node.name
    })
  )
  throw new CommandError(`${name} has ended, and nobody asked it to.`)
}
