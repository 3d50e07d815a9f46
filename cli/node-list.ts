import type { NodeState } from '../domain/keys/freshness/nodes.ts'
import { command, DONE, jsonOption } from './command.ts'
import { instantText } from './key-rows.ts'
import { withStorage } from './storage.ts'
import { toNodeJson } from '../http/representations/nodes.ts'

export default command({
  description: `Lists the processes that serve from the PostgreSQL database of DATABASE_URL: how many changes of client
keys each has not confirmed yet, and the generations of its secrets, that of CLIENT_SECRET first.`,

  options: jsonOption('a JSON array'),

  run: async ({ json = false }, terminal) =>
    await withStorage(
      terminal,
      async storage => {
        const nodes = await storage.nodes()
        if (json) terminal.printJson(nodes.map(toNodeJson))
        else if (nodes.length > 0) terminal.printTable(rowsOf(nodes))
        else terminal.print('There are no nodes: none runs, or the database is a file of SQLite, which needs none.')
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
    instantText(startedAt, ''),
    String(epoch),
    String(behind),
    `${leaseMs} ms`,
    instantText(evictedAt, 'no'),
    generations.join(' ')
  ])
]
