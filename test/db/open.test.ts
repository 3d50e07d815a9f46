import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ConfigError } from '../../config/read.ts'
import { backUp, openStorage } from '../../db/open.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { shownUrl } from '../../net/database-url.ts'
import { freePort } from '../services.ts'
import { temporaryFolder } from '../helper.ts'

const modeOf = (path: string): number => statSync(path).mode & 0o777

test('only the owner can access a new database, its companion files and the folders that are created for it', async t => {
  const folder = join(temporaryFolder(t), 'var', 'data')
  const path = join(folder, 'new.db')
  const storage = await openStorage(`file:${path}`)
  for (const file of [path, `${path}-wal`, `${path}-shm`]) t.equal(modeOf(file), 0o600, file)
  for (const made of [folder, join(folder, '..')]) t.equal(modeOf(made), 0o700, made)
  await storage.close()
})

test('an existing folder and an existing database keep their modes', async t => {
  const folder = join(temporaryFolder(t), 'data')
  const path = join(folder, 'a.db')
  mkdirSync(folder)
  chmodSync(folder, 0o750)
  writeFileSync(path, '')
  chmodSync(path, 0o640)
  const storage = await openStorage(`file:${path}`)
  t.same([folder, path, `${path}-wal`].map(modeOf), [0o750, 0o640, 0o640])
  await storage.close()
})

test('a database that was migrated by a newer version of the program is rejected, and remains unchanged', async t => {
  const path = join(temporaryFolder(t), 'a.db')
  await (await openStorage(`file:${path}`)).close()
  const db = new Database(path)
  db.exec('create table later (x)')
  db.prepare('insert into __drizzle_migrations (hash, created_at) values (?, ?)').run('x', Date.UTC(2999, 0, 1))
  db.close()
  const before = readFileSync(path)
  await t.rejects(
    openStorage(`file:${path}`),
    new ConfigError(
      `DATABASE_URL: the database ${path} can't be opened: a newer version of the program has changed its tables. Start that version, or restore an older backup. Nothing was changed.`
    )
  )
  t.ok(readFileSync(path).equals(before))
})

test('the error about an unreachable PostgreSQL server shows the URL without the password', async t => {
  const port = await freePort()
  for (const host of ['127.0.0.1', 'localhost']) {
    const error: unknown = await openStorage(`postgres://trivial:hunter2@${host}:${port}/x`).catch(
      (error: unknown) => error
    )
    t.type(error, ConfigError)
    const { message } = error as ConfigError
    t.match(message, `DATABASE_URL: the database postgres://trivial@${host}:${port}/x can't be opened: `)
    t.match(message, /ECONNREFUSED/)
    t.notMatch(message, 'hunter2')
  }
  t.equal(shownUrl('postgresql://db.example.com/x?sslmode=require&password=hunter2'), 'postgresql://db.example.com/x')
  t.equal(
    shownUrl('postgres://bob:hunter2@a:1/x?password=hunter2&user=ada&port=5433&host=b&options=-c%20a%3Db'),
    'postgres://bob@/x?host=b&port=5433&user=ada',
    'the parameters that override parts of the URL are shown'
  )
})

test("a PostgreSQL database can't be backed up to a file", async t => {
  const file = join(temporaryFolder(t), 'copy.db')
  await t.rejects(
    backUp('postgres://127.0.0.1/x', file, () => {}),
    { message: 'This command only copies SQLite databases.', hint: /pg_dump/ }
  )
})
