import { startNodes } from './nodes.ts'
import { NO_POSTGRES } from './postgres.ts'
import { atMost } from './report.ts'
import type { Row } from './report.ts'
import { withEnds } from './setup.ts'
import type { Setup } from './setup.ts'
import { quantile } from './rounds.ts'

const NUMBERS_OF_NODES = [1, 3, 5]
const MAX_P99_MS = 100

/** How long a revocation takes until every node obeys it, one after another, each at another node. */
export const measureReceipts = async (setup: Setup): Promise<Row[]> => {
  const { postgres } = setup
  if (postgres === null) return [NO_POSTGRES]
  const rows: Row[] = []
  for (const number of NUMBERS_OF_NODES) {
    const taken = await withEnds(async defer => {
      const { origins } = await startNodes({ ...setup, defer }, postgres, number)
      return await revokeAll(setup, origins)
    })
    const nodes = number === 1 ? '1 node' : `${number} nodes`
    rows.push(atMost(`Revoke a key, ${nodes}: from request to receipt, p99`, quantile(taken, 0.99), MAX_P99_MS, 'ms'))
  }
  return rows
}

const revokeAll = async ({ plan, credentials }: Setup, origins: readonly string[]): Promise<number[]> => {
  const ask = async <Reply>(node: number, method: string, path: string, body = {}): Promise<Reply> => {
    const response = await fetch(`${origins[node % origins.length] ?? ''}${path}`, {
      method,
      headers: { authorization: `Bearer ${credentials.clientToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    const reply = (await response.json()) as Reply
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(reply)}`)
    return reply
  }
  // From its first request on a process is a node.
  const ids: string[] = []
  for (let i = 0; i < plan.revocations; i++) {
    const { id } = await ask<{ id: string }>(i, 'POST', '/client_keys', { name: `key ${i}`, scopes: ['apps:read'] })
    ids.push(id)
  }
  const taken: number[] = []
  for (const [i, id] of ids.entries()) {
    const start = performance.now()
    const { receipt } = await ask<{ receipt: { nodes: number } }>(i, 'POST', `/client_keys/${id}/revoke`)
    taken.push(performance.now() - start)
    if (receipt.nodes !== origins.length) throw new Error(`a receipt tells of ${receipt.nodes} nodes`)
  }
  return taken
}
