import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'tap'
import { createServer } from '../../app.ts'
import { connectDirectly } from '../contract/engines.ts'
import { listening, required, settings } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'

const skip = (await emptyPostgres()) === null

const PATHS = ['/apps', '/apps?limit=10', '/audits', '/client_keys']

test("a request's query is cancelled if its client disconnects", { skip }, async t => {
  const url = required((await emptyPostgres()) ?? undefined, 'PostgreSQL')
  // Simulates a pooler, with which only a cancel request can end a wait for a lock.
  const { env, key } = settings(t, { DATABASE_URL: url, DATABASE_LISTEN_URL: url })
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  const failures: unknown[] = []
  fastify.addHook('onError', async (_request, _reply, error) => {
    failures.push(error.code)
  })
  const port = await listening(fastify)
  const authorization = `Bearer ${key.keyAccessToken}`
  // The key is cached before the tables are locked.
  t.equal((await fetch(`http://127.0.0.1:${port}/apps`, { headers: { authorization } })).status, 200)

  const waiting = async (count: number): Promise<void> => {
    const lists = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    while ((await execute(url, lists)).length !== count) await pause(5)
  }
  const holder = await connectDirectly(t, url)
  await holder.query('begin; lock table apps, audits, client_keys in access exclusive mode')
  for (const path of PATHS) {
    failures.length = 0
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`)
    await waiting(1)
    socket.destroy()
    await once(socket, 'close')
    await waiting(0)
    while (failures.length === 0) await pause(5)
    t.same(failures, ['REQUEST_CANCELLED'], path)
  }

  await holder.query('rollback')
  for (const path of PATHS) {
    t.equal((await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization } })).status, 200, path)
  }
})
