import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'tap'
import type { Test } from 'tap'
import pg from 'pg'
import { postgresDatabase } from '../postgres.ts'
import { LEASE_MS, waitForRecovery, startCluster } from './cluster.ts'
import type { Cluster } from './cluster.ts'
import { clockMoved, createFaults } from './faults.ts'
import type { Fault } from './faults.ts'
import { send } from './node.ts'
import { finishWorkload } from './proof.ts'

// The time limits require an otherwise idle machine.
const REVOCATIONS = Number(process.env['INCIDENT_REVOCATIONS'] ?? 20)
const MAX_ACKNOWLEDGED_MS = 1.25 * LEASE_MS + 500
const MAX_REFUSED_MS = 1000

/** Locks that another database client takes. A revocation doesn't write any of the locked rows. */
const LOCKS = [
  'lock table apps in access exclusive mode',
  'lock table users, sessions, organizations, memberships in access exclusive mode',
  'lock table client_key_usage in access exclusive mode',
  'lock table client_key_attempts, rate_counters, secret_generations in access exclusive mode',
  'lock table client_key_tokens in share row exclusive mode',
  'select from nodes for update',
  'select from client_key_tokens for update',
  `select from client_keys where name <> 'admin' and name not like 'incident %' for update`
]

interface Outcome {
  readonly status: number | null
  readonly code: string | undefined
  readonly ms: number
}

interface Issued {
  readonly id: string
  readonly key_access_token: string
}

/** Revokes keys that are in use, on each node in turn, during a fault. */
const revokeMany = async ({ admin, near, nodes }: Cluster, keys: readonly Issued[]): Promise<Outcome[]> => {
  const outcomes: Outcome[] = []
  for (const [index, { id }] of keys.entries()) {
    const node = nodes()[index % nodes().length] ?? near
    // The usage recorder stores these uses at the same time, and needs the same rows.
    for (const { key_access_token: token } of keys.slice(index)) void send(near, token, ['GET', '/client_keys/me'])
    const begun = performance.now()
    const reply = await send(node, admin, ['POST', `/client_keys/${id}/revoke`, {}], 5000)
    outcomes.push({ status: reply?.status ?? null, code: reply?.json.code, ms: performance.now() - begun })
    await pause(50)
  }
  return outcomes
}

const issueMany = async ({ admin, near }: Cluster, name: string): Promise<Issued[]> => {
  const keys: Issued[] = []
  for (let index = 0; index < REVOCATIONS; index++) {
    const reply = await send(near, admin, ['POST', '/client_keys', { name: `incident ${index} ${name}`.slice(0, 100) }])
    if (reply?.status !== 201) {
      throw new Error(`no key was issued: ${String(reply?.status)} ${JSON.stringify(reply?.json)}`)
    }
    keys.push(reply.json as Issued)
  }
  return keys
}

/** Checks the outcomes. Ignores requests to killed or stopped nodes, which send no responses. */
const checkOutcomes = (t: Test, name: string, outcomes: readonly Outcome[]): void => {
  const replies = outcomes.filter(({ status }) => status !== null)
  const acknowledged = replies.filter(({ status }) => status === 200)
  const refused = replies.filter(({ status }) => status !== 200)
  const slowest = (some: readonly Outcome[]): number => Math.round(Math.max(0, ...some.map(({ ms }) => ms)))
  t.comment(
    `${name}: ${acknowledged.length} acknowledged in at most ${slowest(acknowledged)} ms; ${refused.length} refused in ` +
      `at most ${slowest(refused)} ms (${[...new Set(refused.map(({ status, code }) => `${String(status)} ${String(code)}`))].join()})`
  )
  t.ok(slowest(acknowledged) <= MAX_ACKNOWLEDGED_MS, `${name}: acknowledged within ${MAX_ACKNOWLEDGED_MS} ms`)
  t.ok(slowest(refused) <= MAX_REFUSED_MS, `${name}: refused within ${MAX_REFUSED_MS} ms`)
  t.same(
    refused.filter(({ status, code }) => status !== 503 || code === 'OUTCOME_UNKNOWN'),
    [],
    `${name}: every outcome is clear`
  )
}

const incident = async (t: Test, cluster: Cluster, { name, begin, end }: Omit<Fault, 'node'>): Promise<void> => {
  const keys = await issueMany(cluster, name)
  await begin()
  const outcomes = await revokeMany(cluster, keys)
  await end?.()
  checkOutcomes(t, name, outcomes)
  for (const node of cluster.nodes()) await waitForRecovery(node, cluster.admin)
}

const locked = (cluster: Cluster, statement: string): Omit<Fault, 'node'> => {
  const client = new pg.Client({ connectionString: cluster.url })
  return {
    name: statement,
    begin: async () => {
      await client.connect()
      await client.query('begin')
      await client.query(statement)
    },
    end: async () => {
      await client.end()
    }
  }
}

test('during any fault, a revocation is acknowledged in time or refused immediately', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  const cluster = await startCluster(t, url)
  await incident(t, cluster, { name: 'nothing', begin: () => {} })
  for (const statement of LOCKS) await incident(t, cluster, locked(cluster, statement))
  for (const fault of [...createFaults(cluster), clockMoved(cluster)]) await incident(t, cluster, fault)
  await finishWorkload(t, cluster)
})
