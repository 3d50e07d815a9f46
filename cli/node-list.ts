import type { NodeState } from '../domain/keys/freshness/nodes.ts'
import { command, DONE, jsonOption } from './command.ts'
import { formatTimestamp } from './key-rows.ts'
import { withStorage } from './storage.ts'
import { toNodeJson } from '../http/representations/nodes.ts'

export default command({
  description: `Lists the nodes that share the PostgreSQL database specified by DATABASE_URL. For each node, the command
shows how many changes to client keys the node has not acknowledged yet, and the generations of its secrets, starting
with CLIENT_SECRET.`,

  options: jsonOption('print a JSON array'),

  run: async ({ json = false }, terminal) =>
    await withStorage(
      terminal,
      async storage => {
        const nodes = await storage.nodes()
        if (json) terminal.printJson(nodes.map(toNodeJson))
        else if (nodes.length > 0) terminal.printTable(rowsOf(nodes))
        else terminal.print('There are no nodes. No node is running, or the database is an SQLite file.')
        return DONE
      },
      { readOnly: true }
    )
})

const rowsOf = (nodes: readonly NodeState[]): string[][] => [
  ['NAME', 'VERSION', 'STARTED', 'EPOCH', 'BEHIND', 'LEASE', 'EVICTED', 'GENERATIONS'],
  ...nodes.map(({ name, version, startedAt, epoch, behind, leaseMs, evictedAt, generations }) => [
    name,
    version,
    formatTimestamp(startedAt, ''),
    String(epoch),
    String(behind),
    `${leaseMs} ms`,
    formatTimestamp(evictedAt, 'no'),
    generations.join(' ')
  ])
]
