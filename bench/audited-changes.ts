import autocannon from 'autocannon'
import pg from 'pg'
import { LOCK_SPACE, LOCKS } from '../db/postgres/database.ts'
import type { Credentials } from './credentials.ts'
import { withNodes } from './nodes.ts'
import type { Node } from './nodes.ts'
import type { Plan } from './plan.ts'
import { count, inUnit } from './report.ts'
import type { Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import { withConnection, withPostgres } from './services.ts'
import { median, ratios } from './statistics.ts'

const NODES = 4
const WRITERS_OF_NODE = 8
const WRITERS = NODES * WRITERS_OF_NODE
const LEAST_CHANGES = 500
const WARM_UP_MS = 15_000
const SAMPLE_MS = 100

// Each writer has an app of its own, so that they wait for each other at the audit trail only.
const FILL = `
  insert into users (id, name, email, created_at, updated_at) values (1, 'User', 'user@example.com', now(), now());
  insert into apps (name, descriptive_name, port, user_id, created_at, updated_at)
  select 'app' || n, 'App ' || n, 3000 + n, 1, now(), now() from generate_series(0, ${WRITERS - 1}) as n
`

/** How many audited changes are made in a second by writers at several nodes, and what the database can do at most. */
export const measureAuditedChanges = async (
  plan: Plan,
  server: string,
  folder: string,
  credentials: Credentials
): Promise<Row[]> =>
  await withPostgres(server, async url => {
    const env = {
      CLIENT_SECRET: credentials.clientSecret,
      CLIENT_KEYS: credentials.clientKey,
      DATABASE_URL: url,
      LOG_LEVEL: 'warn'
    }
    return await withNodes(NODES, folder, env, async nodes => {
      await withConnection({ connectionString: url }, async client => await client.query(FILL))
      const pool = new pg.Pool({ connectionString: url, max: WRITERS, pipeline: true })
      try {
        // Nodes are not started for a few seconds of work: their code is compiled first.
        await changesOfNodes(nodes, credentials.clientToken, WARM_UP_MS)()
        const { service, chained, unchained } = await takeInRounds(plan.auditRounds, {
          service: changesOfNodes(nodes, credentials.clientToken, plan.auditMs),
          chained: perSecond(plan, bareWriters(pool, true)),
          unchained: perSecond(plan, bareWriters(pool, false))
        })
        return rowsOf(service, chained, unchained)
      } finally {
        await pool.end()
      }
    })
  })

const rowsOf = (service: readonly number[], chained: readonly number[], unchained: readonly number[]): Row[] => [
  {
    what: `Audited changes, ${NODES} nodes with ${WRITERS_OF_NODE} writers each`,
    result: inUnit(median(service), 'a second', 0),
    target: `≥ ${LEAST_CHANGES} a second`,
    met: median(service) >= LEAST_CHANGES
  },
  {
    what: '– the same statements by `pg` alone',
    result: `${count(median(chained))} a second`,
    byThroughput: median(ratios(service, chained)).toFixed(3)
  },
  {
    what: '– the same without the audit entry',
    result: `${count(median(unchained))} a second, ${median(ratios(unchained, chained)).toFixed(1)} times as many`
  }
]

/** Makes one change; the number tells changes apart. */
type Write = (number: number) => Promise<unknown>

const perSecond =
  ({ auditMs }: Plan, writers: readonly Write[]) =>
  async (): Promise<number> => {
    let changes = 0
    const start = performance.now()
    const work = async (write: Write): Promise<void> => {
      while (performance.now() - start < auditMs) {
        await write(++number)
        changes++
      }
    }
    await Promise.all(writers.map(work))
    return (changes / (performance.now() - start)) * 1000
  }

let number = 0

/** How many changes a second the nodes make of writers that each change an app of their own, again and again. */
const changesOfNodes = (nodes: readonly Node[], token: string, ms: number) => async (): Promise<number> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const runs = nodes.flatMap(({ port }, node) =>
    Array.from({ length: WRITERS_OF_NODE }, async (_, index) => {
      const writer = node * WRITERS_OF_NODE + index
      const requests = ['one', 'other'].map(way => ({
        method: 'PATCH' as const,
        path: `/apps/app${writer}`,
        headers,
        body: JSON.stringify({ descriptive_name: `App ${writer}, the ${way} way` })
      }))
      const url = `http://127.0.0.1:${port}`
      return await autocannon({ url, requests, connections: 1, duration: ms / 1000, sampleInt: SAMPLE_MS })
    })
  )
  const results = await Promise.all(runs)
  const failed = results.reduce((sum, { non2xx, errors }) => sum + non2xx + errors, 0)
  if (failed > 0) throw new Error(`${failed} changes failed`)
  return results.reduce((sum, { '2xx': good, duration }) => sum + good / duration, 0)
}

const bareWriters = (pool: pg.Pool, isChained: boolean): Write[] =>
  Array.from({ length: WRITERS }, (_, writer): Write => {
    const name = `app${writer}`
    return async number => {
      const client = await pool.connect()
      try {
        await change(client, name, `App, change ${number}`, isChained)
        client.release()
      } catch (error) {
        client.release(true)
        throw error
      }
    }
  })

// As the service has them, each planned once by a connection.
const LOCK_APP = { name: 'lock', text: 'select 1 from apps where name = $1 for no key update' }
const FIND_APP = { name: 'find', text: 'select * from apps where name = $1' }
const FIND_NAME = {
  name: 'taken',
  text: 'select 1 from apps where user_id = 1 and descriptive_name = $1 and discarded_at is null'
}
const UPDATE_APP = { name: 'update', text: 'update apps set descriptive_name = $2, updated_at = $3 where id = $1' }
const LOCK_TRAIL = `select pg_advisory_xact_lock(${LOCK_SPACE}, ${LOCKS.audits})`
const APPEND = {
  name: 'append',
  text: `
    insert into audits (sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes,
      address, request_id, previous_hash, hash)
    select sequence + 1, $1, 'client_key', 'env_0000000000000000', 'env_0000000000000000', 'app.update', 'app', $2, $3,
      '127.0.0.1', 'req-1', hash,
      encode(sha256(convert_to('[' || sequence || ',' || $4 || ',"' || hash || '"]', 'UTF8')), 'hex')
    from audit_head
  `
}

/** What the service sends for a change of an app, in as many round trips. */
const change = async (client: pg.PoolClient, name: string, text: string, isChained: boolean): Promise<void> => {
  const at = new Date().toISOString()
  const [, , { rows: apps }] = await Promise.all([
    client.query('begin'),
    client.query(LOCK_APP, [name]),
    client.query<{ id: string; descriptive_name: string }>(FIND_APP, [name])
  ])
  const [app] = apps
  await client.query(FIND_NAME, [text])
  const changes = JSON.stringify({ descriptive_name: { from: app?.descriptive_name, to: text } })
  await Promise.all([
    client.query(UPDATE_APP, [app?.id, text, at]),
    ...(isChained
      ? [client.query(LOCK_TRAIL), client.query(APPEND, [at, name, changes, JSON.stringify(changes)])]
      : []),
    client.query('commit')
  ])
}
