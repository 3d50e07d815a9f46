import { randomUUID } from 'node:crypto'
import { startNode, startNodes } from './nodes.ts'
import { createDatabase, NO_POSTGRES } from './postgres.ts'
import { atMost } from './report.ts'
import type { Row } from './report.ts'
import { withEnds } from './setup.ts'
import { slowLink } from './slow-link.ts'
import type { Setup } from './setup.ts'
import { quantile } from './rounds.ts'

const NUMBERS_OF_NODES = [1, 3, 5]
const MAX_P99_MS = 100

const FAR_MS = 40
/** The time limit for a node that is `FAR_MS` from the database: three round trips, plus the processing time. */
const MAX_ISSUE_MS = 3 * 2 * FAR_MS + 50
/** The same, plus two round trips for the confirmation: to notify the nodes, and to read their acknowledgements. */
const MAX_REVOKE_MS = 5 * 2 * FAR_MS + 50
const MAX_NEAR_MS = 3 * 2 * FAR_MS + 50

/** Sends changes to the nodes in turn, and measures how long it takes until every node applies them. */
export const measureReceipts = async (setup: Setup): Promise<Row[]> => {
  const { postgres } = setup
  if (postgres === null) return [NO_POSTGRES]
  const rows: Row[] = []
  for (const number of NUMBERS_OF_NODES) {
    const { revoked } = await withEnds(async defer => {
      const { origins } = await startNodes({ ...setup, defer }, postgres, number)
      return await changeAll(setup, origins)
    })
    const nodes = number === 1 ? '1 node' : `${number} nodes`
    rows.push(atMost(`Revoke a key, ${nodes}: from request to receipt, p99`, quantile(revoked, 0.99), MAX_P99_MS, 'ms'))
  }
  return [...rows, ...(await withEnds(async defer => await measureFar({ ...setup, defer }, postgres)))]
}

/** Measures the same with two nodes, one of which is far from the database. */
const measureFar = async (setup: Setup, postgres: string): Promise<Row[]> => {
  const url = await createDatabase(setup, postgres)
  const near = await startNode(setup, url)
  const far = await startNode(setup, await slowLink(setup, url, FAR_MS))
  const changes = Math.ceil(setup.plan.revocations / 10)
  const atFar = await changeAll(setup, [far.origin], changes, 2)
  const atNear = await changeAll(setup, [near.origin], changes, 2)
  const place = `a node ${FAR_MS} ms from the database`
  return [
    atMost(`Issue a key at ${place}, median`, quantile(atFar.issued, 0.5), MAX_ISSUE_MS, 'ms'),
    atMost(`Revoke a key at ${place}, median`, quantile(atFar.revoked, 0.5), MAX_REVOKE_MS, 'ms'),
    atMost('Issue a key at another node, next to the database, median', quantile(atNear.issued, 0.5), 50, 'ms'),
    atMost('Revoke a key at that node, median', quantile(atNear.revoked, 0.5), MAX_NEAR_MS, 'ms')
  ]
}

/** Issues and revokes keys, and returns how long each change took, in milliseconds. */
const changeAll = async (
  { plan, credentials }: Setup,
  origins: readonly string[],
  changes = plan.revocations,
  nodes = origins.length
): Promise<{ issued: number[]; revoked: number[] }> => {
  const issued: number[] = []
  const revoked: number[] = []
  const ask = async <Reply>(node: number, taken: number[], path: string, body = {}): Promise<Reply> => {
    const start = performance.now()
    const response = await fetch(`${origins[node % origins.length] ?? ''}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credentials.clientToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    const reply = (await response.json()) as Reply
    taken.push(performance.now() - start)
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${JSON.stringify(reply)}`)
    return reply
  }
  // All keys are issued before the first is revoked, because a process becomes a node only when it gets its first
  // request.
  const ids: string[] = []
  for (let i = 0; i < changes; i++) {
    ids.push((await ask<{ id: string }>(i, issued, '/client_keys', { name: randomUUID(), scopes: ['apps:read'] })).id)
  }
  for (const [i, id] of ids.entries()) {
    const { receipt } = await ask<{ receipt: { nodes: number } }>(i, revoked, `/client_keys/${id}/revoke`)
    if (receipt.nodes !== nodes) throw new Error(`a receipt is for ${receipt.nodes} nodes instead of ${nodes}`)
  }
  return { issued, revoked }
}
