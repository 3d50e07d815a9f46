import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { openStorage } from '../../db/open.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { newSecret, temporaryFolder } from '../helper.ts'
import { spawned } from './process.ts'
import { command } from './terminal.ts'
import type { Ended } from './terminal.ts'

const dump = (path: string): unknown[] => {
  const db = new Database(path, { readonly: true })
  const rows = ['users', 'organizations', 'apps', 'tags'].map(table =>
    db.prepare(`select * from ${table} order by id`).all().map(withoutHash)
  )
  db.close()
  return rows
}

// Replaces the hashes, because two hashes of the same password differ in their salts.
const withoutHash = (row: unknown): object => ({ ...(row as object), password_hash: null })

interface Login {
  email: string
  password: string
}

/** Runs `db sample` on the database at a path. */
const sample = async (t: Test, path: string, ...args: string[]): Promise<Ended> =>
  await command(t, 'db:sample', { env: { DATABASE_URL: `file:${path}` }, args })

const pathOf = (t: Test): string => join(temporaryFolder(t), 'a.db')

test("the sample data is the same each time, except for the users' passwords", async t => {
  const paths = [pathOf(t), pathOf(t)] as const
  const passwords = new Set<string>()
  for (const path of paths) {
    const { code, stdout, stderr } = await sample(t, path)
    t.same([code, stderr], [0, ''])
    t.match(stdout, `Loaded 4 users, 3 organizations and 24 apps into file:${path}, which is marked as sample data.\n`)
    const logins = [...stdout.matchAll(/^ {2}(?:ada|ben|chiara|dmitri)@example\.com +(\S{24})$/gm)]
    t.equal(logins.length, 4)
    for (const [, password = ''] of logins) {
      passwords.add(password)
      t.notOk(readFileSync(path).includes(password), 'the password is not stored')
    }
  }
  t.equal(passwords.size, 8, 'all passwords differ')
  t.strictSame(dump(paths[0]), dump(paths[1]))
  t.same(
    dump(paths[0]).map(rows => (rows as unknown[]).length),
    [4, 3, 24, 32]
  )
})

test('--json prints the users with passwords that they can sign in with', async t => {
  const path = pathOf(t)
  const logins = JSON.parse((await sample(t, path, '--json')).stdout) as Login[]
  const fastify = await createServer({
    CLIENT_SECRET: newSecret(),
    DATABASE_URL: `file:${path}`,
    LOG_LEVEL: 'silent'
  })
  t.teardown(() => fastify.close())
  for (const payload of logins) {
    t.equal((await fastify.inject({ method: 'POST', url: '/auth/sign_in', payload })).statusCode, 200)
  }
  t.equal(logins.length, 4)
})

test('existing sample data and its passwords stay unchanged', async t => {
  const path = pathOf(t)
  t.equal((await sample(t, path)).code, 0)
  const before = readFileSync(path)
  t.match(await sample(t, path), {
    code: 0,
    stdout: `The database file:${path} already contains data. Nothing was changed: its users keep their passwords.\n`
  })
  t.match(await sample(t, path, '--json'), { code: 0, stdout: '[]\n', stderr: '' })
  t.ok(readFileSync(path).equals(before))
})

test('a run that marked a database as sample data but did not load it is completed by the next run', async t => {
  const path = pathOf(t)
  await (await openStorage(`file:${path}`, { asSample: true })).close()
  t.match(await sample(t, path), { code: 0, stdout: /^Loaded 4 users/ })
})

test("without DATABASE_URL, the sample data is stored in a separate database, not in the service's", async t => {
  const cwd = temporaryFolder(t)
  t.match(await spawned(t, 'db:sample', { cwd }).ended, { code: 0, stdout: /24 apps into file:\.\/data\/sample\.db,/ })
  t.same(readdirSync(join(cwd, 'data')), ['sample.db'])
})

test('sample data is not loaded into a database that already has tables, and the database stays unchanged', async t => {
  for (const [name, ...args] of [
    ['db:migrate'],
    ['user:create', '--email', 'zoe@example.com', '--name', 'Zoe'],
    ['key:issue', '--name', 'billing']
  ] as const) {
    const path = pathOf(t)
    const env = { DATABASE_URL: `file:${path}`, CLIENT_SECRET: newSecret() }
    t.equal((await command(t, name, { env, args })).code, 0)
    const before = readFileSync(path)
    t.match(await sample(t, path), {
      code: 1,
      stdout: '',
      stderr:
        `DATABASE_URL (set in the environment): the database ${path} can't be opened: it already has tables, but is ` +
        'not marked as sample data. Sample data needs a separate database: specify a new one, or move this one. ' +
        'Nothing was changed.\n'
    })
    t.ok(readFileSync(path).equals(before))
  }
})

test('if a service starts while sample data is being loaded into the same new database, only one of the two succeeds', async t => {
  for (let round = 0; round < 3; round++) {
    const path = pathOf(t)
    const env = { DATABASE_URL: `file:${path}` }
    const [migrated, ...sampled] = await Promise.all([
      spawned(t, 'db:migrate', { env }).ended,
      spawned(t, 'db:sample', { env }).ended,
      spawned(t, 'db:sample', { env }).ended
    ])
    t.same([migrated.code, migrated.stderr], [0, ''])
    const storage = await openStorage(`file:${path}`)
    await storage.close()
    for (const { code } of sampled) t.equal(code, storage.isSample ? 0 : 1)
    const loaded = sampled.filter(({ stdout }) => stdout.startsWith('Loaded'))
    t.equal(loaded.length, storage.isSample ? 1 : 0)
  }
})

test("the command fails if the passwords can't be written, and explains how to get new ones", async t => {
  t.match(await command(t, 'db:sample', { unwritable: 'ENOSPC' }), {
    code: 1,
    stderr: /To get new passwords, delete its database and load it again\.\n$/
  })
})

test('db:migrate creates the database and its folder, and can be run again', async t => {
  const cwd = temporaryFolder(t)
  for (let i = 0; i < 2; i++) {
    const { code, stdout } = await spawned(t, 'db:migrate', { cwd }).ended
    t.equal(code, 0)
    t.equal(stdout, 'The database file:./data/trivial.db is up to date.\n')
  }
  t.same(dump(join(cwd, 'data/trivial.db')), [[], [], [], []])
})

test('processes that start at the same time on a new database all succeed', async t => {
  for (let round = 0; round < 3; round++) {
    const env = { DATABASE_URL: `file:${join(temporaryFolder(t), 'new.db')}` }
    const ended = await Promise.all(Array.from({ length: 6 }, () => spawned(t, 'db:migrate', { env }).ended))
    t.same(
      ended.map(({ code, stderr }) => [code, stderr]),
      ended.map(() => [0, ''])
    )
  }
})

test("a database with unrelated tables that have the same names as the service's is rejected", async t => {
  const path = join(temporaryFolder(t), 'a.db')
  const db = new Database(path)
  db.exec('create table apps (x)')
  db.close()
  const { code, stderr } = await command(t, 'db:migrate', { env: { DATABASE_URL: `file:${path}` } })
  t.equal(code, 1)
  t.match(stderr, /^DATABASE_URL \(set in the environment\): the database .* can't be opened: .*apps/)
})
