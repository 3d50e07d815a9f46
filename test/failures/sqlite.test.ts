import { openSync, statSync, writeSync } from 'node:fs'
import { test } from 'tap'
import { required } from '../helper.ts'
import { createService, sendOne } from './operations.ts'
import { emptyTables } from './rows.ts'
import { hideTables } from './sqlite.ts'

test('a missing SQLite table, as while the database is being replaced, causes a 503', async t => {
  await hideTables(t, 'users')
})

test('a damaged SQLite file causes a 503', async t => {
  const service = await createService(t, {})
  const { execute } = service.fixture.db
  // The change invalidates the service's page cache, so the service reads the damaged pages.
  await execute('delete from tags; pragma wal_checkpoint(truncate)')
  const path = service.fixture.made.env.DATABASE_URL.slice('file:'.length)
  const PAGE = 4096
  const descriptor = openSync(path, 'r+')
  for (let at = PAGE; at < statSync(path).size; at += PAGE) writeSync(descriptor, Buffer.alloc(PAGE, 0xa5), 0, PAGE, at)
  const replies = await Promise.all(service.requests.map(async each => (await sendOne(service, each)).status))
  t.same(
    replies.filter(status => status !== 503),
    [200],
    'only GET /up succeeds'
  )
})

test('an SQLite table that lacks its row, as while the database is being replaced, causes a 503', async t => {
  await emptyTables(t, {}, ['audit_head', 'app_port_counter', 'client_key_epoch'])
})

test('requests for nodes and receipts get 503 while their table is missing, even with a session', async t => {
  const { fixture } = await createService(t, {})
  const { headers } = required(
    fixture.senders.find(({ who }) => who === 'a global admin who owns nothing'),
    'an administrator'
  )
  await fixture.db.execute('alter table client_key_changes rename to hidden_changes')
  await fixture.db.execute('alter table client_key_epoch rename to hidden')
  for (const url of ['/nodes', `/receipts/${fixture.targets.receipt}`]) {
    t.equal((await fixture.made.fastify.inject({ url, headers })).statusCode, 503, url)
  }
})
