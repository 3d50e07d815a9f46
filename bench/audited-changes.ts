import { Agent } from 'node:http'
import pg from 'pg'
import type { Credentials } from './credentials.ts'
import { call, withNodes } from './nodes.ts'
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
      const pool = new pg.Pool({ connectionString: url, max: WRITERS })
      try {
        const { service, chained, unchained } = await takeInRounds(plan.auditRounds, {
          service: perSecond(plan, serviceWriters(nodes, credentials.clientToken)),
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

const agent = new Agent({ keepAlive: true })

const serviceWriters = (nodes: readonly Node[], token: string): Write[] =>
  nodes.flatMap(({ port }, node) =>
    Array.from({ length: WRITERS_OF_NODE }, (_, writer): Write => {
      const path = `/apps/app${node * WRITERS_OF_NODE + writer}`
      return async number => {
        const body = { descriptive_name: `App, change ${number}` }
        await call({ port, method: 'PATCH', path, token, body, agent })
      }
    })
  )

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

const LOCK_APP = 'select 1 from apps where name = $1 for no key update'
const FIND_APP = 'select * from apps where name = $1'
const FIND_TAGS = 'select * from tags where app_id = $1'
const FIND_NAME = 'select 1 from apps where user_id = 1 and descriptive_name = $1 and discarded_at is null'
const UPDATE_APP = 'update apps set descriptive_name = $2, updated_at = $3 where id = $1'
const LOCK_HEAD = 'select sequence, hash from audit_head for update'
const APPEND = `
  insert into audits (sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes,
    address, request_id, previous_hash, hash)
  values ($1, $2, 'client_key', 'env_0000000000000000', 'env_0000000000000000', 'app.update', 'app', $3, $4,
    '127.0.0.1', 'req-1', $5, $6)
`
const HASH = 'f'.repeat(64)

/** What the service sends for a change of an app, in as many round trips. */
const change = async (client: pg.PoolClient, name: string, text: string, isChained: boolean): Promise<void> => {
  const at = new Date().toISOString()
  const [, , { rows: apps }] = await Promise.all([
    client.query('begin'),
    client.query(LOCK_APP, [name]),
    client.query<{ id: string; descriptive_name: string }>(FIND_APP, [name])
  ])
  const id = apps[0]?.id
  await Promise.all([client.query(FIND_TAGS, [id]), client.query(FIND_NAME, [text])])
  await client.query(UPDATE_APP, [id, text, at])
  if (isChained) {
    const { rows } = await client.query<{ sequence: string; hash: string }>(LOCK_HEAD)
    const changes = JSON.stringify({ descriptive_name: { from: apps[0]?.descriptive_name, to: text } })
    await client.query(APPEND, [Number(rows[0]?.sequence) + 1, at, name, changes, rows[0]?.hash, HASH])
  }
  await client.query('commit')
}
