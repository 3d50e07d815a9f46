import { once } from 'node:events'
import { test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { spawned } from '../cli/process.ts'
import { command } from '../cli/terminal.ts'
import { run, settings } from '../helper.ts'
import { LISTENING, start } from '../http/service.ts'

test('a second process can write to the same database while the service is running', async t => {
  const service = await start(t)
  const list = async () =>
    await (await fetch(`http://localhost:${service.port}/users`, { headers: service.headers })).json()
  t.same(await list(), [])
  const args = ['--email', 'zoe@example.com', '--name', 'Zoe']
  t.equal((await spawned(t, 'user:create', { env: service.env, args }).ended).code, 0)
  t.match(await list(), [{ email: 'zoe@example.com' }])
})

test('while another process has locked the database, requests get 503 with Retry-After', async t => {
  const env = { DATABASE_URL: settings(t).env.DATABASE_URL }
  t.equal((await command(t, 'db:sample', { env })).code, 0)
  const service = await start(t, env)
  const url = `http://localhost:${service.port}/apps/ba6811fb3e073d`
  const db = new Database(service.env['DATABASE_URL'].slice('file:'.length))
  db.exec('begin immediate')
  const refused = await fetch(url, { method: 'DELETE', headers: service.headers })
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '1')
  t.match(await refused.json(), { code: 'SERVICE_UNAVAILABLE' })
  t.equal((await fetch(url, { headers: service.headers })).status, 200, 'reads still succeed')
  const order: string[] = []
  const writes = Promise.all(
    Array.from({ length: 10 }, async () => {
      await fetch(url, { method: 'DELETE', headers: service.headers })
      order.push('write')
    })
  )
  for (let i = 0; i < 5; i++) {
    await fetch(`http://localhost:${service.port}/up`).then(() => {
      order.push('up')
    })
  }
  await writes
  t.strictSame(
    order.slice(0, 5),
    Array.from({ length: 5 }, () => 'up'),
    'other requests do not wait'
  )
  db.exec('commit')
  db.close()
  t.equal((await fetch(url, { method: 'DELETE', headers: service.headers })).status, 204)
})

test('acknowledged changes survive when the process is killed', async t => {
  const made = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
  t.equal((await command(t, 'db:sample', { env: made.env })).code, 0)
  const headers = { authorization: `Bearer ${made.key.keyAccessToken}`, 'content-type': 'application/json' }
  const created: string[] = []
  for (let round = 0; round < 2; round++) {
    const running = run(t, 'server.ts', { env: made.env })
    await running.prints('Server listening')
    const url = `http://localhost:${Number(LISTENING.exec(running.output().stdout)?.[1])}/apps`
    t.same(
      await Promise.all(created.map(async name => (await fetch(`${url}/${name}`, { headers })).status)),
      created.map(() => 200)
    )
    const killed = once(running.process, 'exit')
    for (let i = 0; i < 20; i++) {
      const body = JSON.stringify({ descriptive_name: `Round ${round} app ${i}`, owner_type: 'User', owner_id: 1 })
      const response = await fetch(url, { method: 'POST', headers, body })
      created.push(((await response.json()) as { name: string }).name)
      if (i === 18) {
        setImmediate(() => {
          running.process.kill('SIGKILL')
        })
      }
      if (i === 18) break
    }
    await killed
  }
  const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
  t.same(db.pragma('integrity_check'), [{ integrity_check: 'ok' }])
  t.equal(
    db
      .prepare(`select count(*) as n from apps where name in (${created.map(() => '?').join()})`)
      .pluck()
      .get(...created),
    created.length
  )
  db.close()
})
