import { openSync, statSync, writeSync } from 'node:fs'
import { test } from 'tap'
import { createService, sendOne } from './operations.ts'
import { hideTables } from './sqlite.ts'

test('a table of SQLite that is missing, as while a database is replaced, is a 503', async t => {
  await hideTables(t, 'users')
})

test('a damaged file of SQLite is a 503', async t => {
  const service = await createService(t, {})
  const { execute } = service.fixture.db
  // What the service remembers of the file is out of date from then on.
  await execute('delete from tags; pragma wal_checkpoint(truncate)')
  const path = service.fixture.made.env.DATABASE_URL.slice('file:'.length)
  const PAGE = 4096
  const descriptor = openSync(path, 'r+')
  for (let at = PAGE; at < statSync(path).size; at += PAGE) writeSync(descriptor, Buffer.alloc(PAGE, 0xa5), 0, PAGE, at)
  const replies = await Promise.all(service.requests.map(async each => (await sendOne(service, each)).status))
  t.same(
    replies.filter(status => status !== 503),
    [200],
    'only GET /up'
  )
})
