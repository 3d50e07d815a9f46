import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { createServer } from '../../app.ts'
import { createPool } from '../../db/postgres/connections.ts'
import { createDatabase } from '../../db/postgres/database.ts'
import { createPostgresTransactor } from '../../db/postgres/transactor.ts'
import { settings } from '../helper.ts'
import { startPgBouncer } from '../pgbouncer.ts'
import { execute, postgresDatabase } from '../postgres.ts'

const KEYS_OF_A_NODE = 20

test("nodes behind PgBouncer in transaction mode can change keys, and apply each other's changes", async t => {
  const url = await postgresDatabase(t)
  const by = url === null ? null : await startPgBouncer(t, url)
  if (url === null || by === null) return
  const { env, key } = settings(t, { DATABASE_URL: by, DATABASE_LISTEN_URL: url })
  const nodes = [await createServer(env), await createServer(env)] as const
  t.teardown(async () => {
    for (const node of nodes) await node.close()
  })
  const headers = { authorization: `Bearer ${key.keyAccessToken}` }
  const issued: { id: string; key_access_token: string }[] = []
  await Promise.all(
    nodes.map(async (node, writer) => {
      for (let index = 0; index < KEYS_OF_A_NODE; index++) {
        const payload = { name: `key ${index} of ${writer}`, scopes: ['apps:read'] }
        const reply = await node.inject({ method: 'POST', url: '/client_keys', headers, payload })
        t.equal(reply.statusCode, 201)
        issued.push(reply.json())
      }
    })
  )
  const statusesOf = async (token: string) =>
    await Promise.all(
      nodes.map(async node => {
        const reply = await node.inject({ url: '/apps', headers: { authorization: `Bearer ${token}` } })
        return reply.statusCode
      })
    )
  for (const { id, key_access_token: token } of issued.slice(0, 5)) {
    t.same(await statusesOf(token), [200, 200])
    const revoked = await nodes[0].inject({ method: 'POST', url: `/client_keys/${id}/revoke`, headers })
    t.match(revoked.json(), { receipt: { nodes: 2, acknowledged: 2, leases_ended: 0 } })
    t.same(await statusesOf(token), [401, 401])
  }
  t.equal((await nodes[1].inject({ url: '/audits', headers })).json().length, 2 * KEYS_OF_A_NODE + 5)
})

test('an aborted query is cancelled through PgBouncer too', async t => {
  const url = await postgresDatabase(t)
  const by = url === null ? null : await startPgBouncer(t, url)
  if (url === null || by === null) return
  const pool = createPool({ url: by, listenUrl: url })
  t.teardown(() => pool.end())
  const { read } = createPostgresTransactor({ pool, createReads: createDatabase, createTx: createDatabase })
  const controller = new AbortController()
  const slept = read(async db => await db.execute(sql`select pg_sleep(3600)`), { signal: controller.signal })
  const cancelled = t.rejects(slept, { code: 'REQUEST_CANCELLED' })
  const sleeping = async (): Promise<boolean> =>
    (await execute(url, "select 1 from pg_stat_activity where query ~ 'sleep\\(3600' and state = 'active'")).length > 0
  while (!(await sleeping())) await pause(5)
  controller.abort()
  await cancelled
  while (await sleeping()) await pause(5)
})
