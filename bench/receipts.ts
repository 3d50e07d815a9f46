import { Agent } from 'node:http'
import type { Credentials } from './credentials.ts'
import { call, withNodes } from './nodes.ts'
import type { Node } from './nodes.ts'
import type { Plan } from './plan.ts'
import { atMost, inUnit } from './report.ts'
import type { Row } from './report.ts'
import { withPostgres } from './services.ts'
import { quantile } from './statistics.ts'

const NUMBERS_OF_NODES = [1, 3, 5]
const MAX_P99_MS = 100

interface Changed {
  receipt: { nodes: number; leases_ended: number; waited_ms: number }
}

interface Taken {
  waited: number[]
  replies: number[]
}

/** How long a revocation takes until every node obeys it, one after another, each at another node. */
export const measureReceipts = async (
  plan: Plan,
  server: string,
  folder: string,
  credentials: Credentials
): Promise<Row[]> => {
  const rows: Row[] = []
  for (const number of NUMBERS_OF_NODES) {
    const { waited, replies } = await withPostgres(server, async url => {
      const env = {
        CLIENT_SECRET: credentials.clientSecret,
        CLIENT_KEYS: credentials.clientKey,
        DATABASE_URL: url,
        LOG_LEVEL: 'warn'
      }
      return await withNodes(number, folder, env, async nodes => await revokeAll(plan, nodes, credentials.clientToken))
    })
    const nodes = number === 1 ? '1 node' : `${number} nodes`
    rows.push(
      atMost(`Revoke a key, ${nodes}: from request to receipt, p99`, quantile(replies, 0.99), MAX_P99_MS, 'ms'),
      { what: '– median', result: inUnit(quantile(replies, 0.5), 'ms') },
      { what: '– `waited_ms`, median and p99', result: `${pair(waited)} ms` }
    )
  }
  return rows
}

const pair = (values: readonly number[]): string =>
  `${quantile(values, 0.5).toFixed(0)} and ${quantile(values, 0.99).toFixed(0)}`

const revokeAll = async (plan: Plan, nodes: readonly Node[], token: string): Promise<Taken> => {
  const agent = new Agent({ keepAlive: true })
  const taken: Taken = { waited: [], replies: [] }
  const ask = async <Reply>(node: number, method: string, path: string, body?: object): Promise<Reply> =>
    await call<Reply>({ port: portOf(nodes, node), method, path, token, agent, ...(body && { body }) })
  try {
    // From its first request on a process is a node.
    for (let i = 0; i < nodes.length; i++) await ask(i, 'GET', '/nodes')
    const ids: string[] = []
    for (let i = 0; i < plan.revocations; i++) {
      const { id } = await ask<{ id: string }>(i, 'POST', '/client_keys', { name: `key ${i}`, scopes: ['apps:read'] })
      ids.push(id)
    }
    for (const [i, id] of ids.entries()) {
      const start = performance.now()
      const { receipt } = await ask<Changed>(i, 'POST', `/client_keys/${id}/revoke`)
      taken.replies.push(performance.now() - start)
      taken.waited.push(receipt.waited_ms)
      if (receipt.nodes !== nodes.length) throw new Error(`a receipt tells of ${receipt.nodes} nodes`)
    }
    return taken
  } finally {
    agent.destroy()
  }
}

const portOf = (nodes: readonly Node[], i: number): number => {
  const node = nodes[i % nodes.length]
  if (node === undefined) throw new Error('there are no nodes')
  return node.port
}
