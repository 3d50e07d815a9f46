import autocannon from 'autocannon'
import { startNodes } from './nodes.ts'
import { execute, NO_POSTGRES } from './postgres.ts'
import { inUnit } from './report.ts'
import type { Row } from './report.ts'
import type { Setup } from './setup.ts'
import { median } from './rounds.ts'

const NODES = 4
const WRITERS_OF_NODE = 8
const LEAST_CHANGES = 500
const WARM_UP_MS = 15_000
const SAMPLE_MS = 100

// Each writer has its own app, so that writers wait for each other only when they write to the audit trail.
const FILL = `
  insert into users (id, name, email, created_at, updated_at) values (1, 'User', 'user@example.com', now(), now());
  insert into apps (name, descriptive_name, port, user_id, created_at, updated_at)
  select 'app' || n, 'App ' || n, 3000 + n, 1, now(), now() from generate_series(0, ${NODES * WRITERS_OF_NODE - 1}) as n
`

/** Measures how many audited changes per second are possible with several nodes and several writers per node. */
export const measureAuditedChanges = async (setup: Setup): Promise<Row[]> => {
  const { plan, credentials, postgres } = setup
  if (postgres === null) return [NO_POSTGRES]
  const { origins, url } = await startNodes(setup, postgres, NODES)
  await execute(url, FILL)
  // Warms up, so that V8 has optimized the code, as on a node that has been running for a while.
  await changesPerSecond(origins, credentials.clientToken, WARM_UP_MS)
  const taken: number[] = []
  for (let round = 0; round < plan.auditRounds; round++) {
    taken.push(await changesPerSecond(origins, credentials.clientToken, plan.auditMs))
  }
  return [
    {
      what: `Audited changes, ${NODES} nodes with ${WRITERS_OF_NODE} writers each`,
      result: inUnit(median(taken), 'per second', 0),
      target: `≥ ${LEAST_CHANGES} per second`,
      met: median(taken) >= LEAST_CHANGES
    }
  ]
}

/** Has each writer change its own app repeatedly, and returns the number of changes per second. */
const changesPerSecond = async (origins: readonly string[], token: string, ms: number): Promise<number> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const runs = origins.flatMap((url, node) =>
    Array.from({ length: WRITERS_OF_NODE }, async (_, index) => {
      const writer = node * WRITERS_OF_NODE + index
      const requests = ['one', 'other'].map(way => ({
        method: 'PATCH' as const,
        path: `/apps/app${writer}`,
        headers,
        body: JSON.stringify({ descriptive_name: `App ${writer}, the ${way} way` })
      }))
      return await autocannon({ url, requests, connections: 1, duration: ms / 1000, sampleInt: SAMPLE_MS })
    })
  )
  const results = await Promise.all(runs)
  const failed = results.reduce((sum, { non2xx, errors }) => sum + non2xx + errors, 0)
  if (failed > 0) throw new Error(`${failed} changes failed`)
  return results.reduce((sum, { '2xx': good, duration }) => sum + good / duration, 0)
}
