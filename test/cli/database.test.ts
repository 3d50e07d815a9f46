import { join } from 'node:path'
import { test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { temporaryFolder } from '../helper.ts'
import { spawned } from './process.ts'
import { command } from './terminal.ts'

const dump = (path: string): unknown[] => {
  const db = new Database(path, { readonly: true })
  const rows = ['users', 'organizations', 'apps', 'tags'].map(table =>
    db.prepare(`select * from ${table} order by id`).all().map(withoutHash)
  )
  db.close()
  return rows
}

// A hash of the same password is another each time, as it should be.
const withoutHash = (row: unknown): object => ({ ...(row as object), password_hash: null })

test('the sample data are the same every time', async t => {
  const paths = [join(temporaryFolder(t), 'a.db'), join(temporaryFolder(t), 'b.db')] as const
  for (const path of paths) {
    const { code, stdout } = await command(t, 'db:sample', { env: { DATABASE_URL: `file:${path}` } })
    t.equal(code, 0)
    t.match(stdout, 'Loaded 4 users, 3 organizations and 24 apps')
  }
  t.strictSame(dump(paths[0]), dump(paths[1]))
  t.same(
    dump(paths[0]).map(rows => (rows as unknown[]).length),
    [4, 3, 24, 32]
  )
})

test('a database that has apps, or users only, refuses the sample, and nothing changes', async t => {
  for (const [name, args] of [
    ['db:sample', []],
    ['user:create', ['--email', 'zoe@example.com', '--name', 'Zoe']]
  ] as const) {
    const path = join(temporaryFolder(t), 'a.db')
    const env = { DATABASE_URL: `file:${path}` }
    t.equal((await command(t, name, { env, args })).code, 0)
    const before = dump(path)
    const { code, stderr } = await command(t, 'db:sample', { env })
    t.equal(code, 1)
    t.match(stderr, /has apps, users or organizations already; nothing was changed/)
    t.strictSame(dump(path), before)
  }
})

test('db:migrate makes the database and its folder, and may be run again', async t => {
  const cwd = temporaryFolder(t)
  for (let i = 0; i < 2; i++) {
    const { code, stdout } = await spawned(t, 'db:migrate', { cwd }).ended
    t.equal(code, 0)
    t.equal(stdout, 'The database file:./data/trivial.db is up to date.\n')
  }
  t.same(dump(join(cwd, 'data/trivial.db')), [[], [], [], []])
})

test('processes that start at once on a new database all succeed', async t => {
  for (let round = 0; round < 3; round++) {
    const env = { DATABASE_URL: `file:${join(temporaryFolder(t), 'new.db')}` }
    const ended = await Promise.all(Array.from({ length: 6 }, () => spawned(t, 'db:migrate', { env }).ended))
    t.same(
      ended.map(({ code, stderr }) => [code, stderr]),
      ended.map(() => [0, ''])
    )
  }
})

test('a database whose tables are in the way is refused', async t => {
  const path = join(temporaryFolder(t), 'a.db')
  const db = new Database(path)
  db.exec('create table apps (x)')
  db.close()
  const { code, stderr } = await command(t, 'db:migrate', { env: { DATABASE_URL: `file:${path}` } })
  t.equal(code, 1)
  t.match(stderr, /^DATABASE_URL: the database .* can't be opened: .*apps/)
})
