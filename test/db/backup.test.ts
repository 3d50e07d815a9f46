import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { createAuditService } from '../../domain/audits/service.ts'
import { BackupError } from '../../db/backup.ts'
import { backUp, openStorage } from '../../db/open.ts'
import { loadSample } from '../../db/load-sample.ts'
import { sample } from '../../db/sample.ts'
import { checkCopy } from '../../db/sqlite/backup.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { operator, temporaryFolder } from '../helper.ts'

const ignore = (): void => {}

/** Opens a database with the sample data, and keeps it open. */
const openInUse = async (t: Test) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'live.db')
  const storage = await openStorage(`file:${path}`)
  t.teardown(storage.close)
  await loadSample(storage, { sample, hashOf: () => 'x', context: operator })
  const createUser = async (email: string): Promise<unknown> =>
    await storage.write(
      async ({ users }) =>
        await users.insert({ name: email, email, role: 'member', passwordHash: 'x', createdAt: new Date() })
    )
  return { folder, path, url: `file:${path}`, createUser }
}

test('a backup contains the data as of its start, and no later writes', async t => {
  const { folder, url, createUser } = await openInUse(t)
  await createUser('before@example.com')
  const target = join(folder, 'copy.db')
  const seen: [number, number][] = []
  const writes: Promise<unknown>[] = []
  const { rows, head } = await backUp(url, target, (copied, total) => {
    seen.push([copied, total])
    writes.push(createUser(`during${seen.length}@example.com`))
  })
  await Promise.all(writes)
  t.ok(seen.length > 0)
  t.ok(seen.every(([copied, total]) => copied >= 0 && copied <= total && total > 0))
  t.match(rows, { users: 5, apps: 24, organizations: 3, tags: 32 })
  t.equal(statSync(target).mode & 0o777, 0o600)
  t.same(
    readdirSync(folder).filter(file => file.startsWith('copy')),
    ['copy.db'],
    'the backup is a single file'
  )

  const restored = await openStorage(`file:${target}`)
  const findUser = async (email: string) =>
    await restored.read(async ({ users }) => await users.findAccountByEmail(email))
  t.ok(await findUser('before@example.com'))
  t.notOk(await findUser('meanwhile1@example.com'))
  const trail = await createAuditService(restored).verify()
  t.ok(trail.whole && head === `${trail.head.sequence}:${trail.head.hash}`)
  await restored.close()
})

test('the backup of an unchanged database has no audit trail head', async t => {
  const folder = temporaryFolder(t)
  const url = `file:${join(folder, 'new.db')}`
  await (await openStorage(url)).close()
  t.match(await backUp(url, join(folder, 'copy.db'), ignore), { rows: { apps: 0, audits: 0 }, head: null })
})

test('a database of an older version is backed up unchanged', async t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'old.db')
  const db = new Database(path)
  db.exec('create table "odd ""name" (x); insert into "odd ""name" values (1), (2)')
  db.close()
  t.same(await backUp(`file:${path}`, join(folder, 'copy.db'), ignore), { rows: { 'odd "name': 2 }, head: null })
})

test('an existing file is not overwritten, and a failed backup leaves no files', async t => {
  const { folder, path, url } = await openInUse(t)
  const taken = join(folder, 'taken')
  writeFileSync(taken, 'mine')
  const damaged = join(folder, 'damaged.db')
  await backUp(url, damaged, ignore)
  const db = new Database(damaged)
  db.unsafeMode().pragma('writable_schema = on')
  db.exec("delete from sqlite_schema where name = 'apps_name_unique'")
  db.close()
  const before = readdirSync(folder).sort()
  for (const [from, to, words] of [
    [url, taken, /taken already exists and was not changed/],
    [url, path, /live\.db already exists/],
    [url, folder, /already exists/],
    [`file:${path}.none`, join(folder, 'copy.db'), /There is no database .*live\.db\.none/],
    [url, join(taken, 'copy.db'), /No backup was made: E[A-Z]+/],
    [`file:${taken}`, join(folder, 'copy.db'), /No backup was made: .*not a database/],
    [`file:${damaged}`, join(folder, 'copy.db'), /The copy is damaged, and the database may be damaged too: /]
  ] as const) {
    const error: unknown = await backUp(from, to, ignore).catch((error: unknown) => error)
    t.ok(error instanceof BackupError)
    t.match(error, { message: words })
  }
  t.same(readdirSync(folder).sort(), before)
  t.equal(readFileSync(taken, 'utf8'), 'mine')
})

test('a copy that lacks a row is not accepted as a backup', async t => {
  const { folder, url } = await openInUse(t)
  const target = join(folder, 'copy.db')
  const contents = await backUp(url, target, ignore)
  checkCopy(target, contents)
  const db = new Database(target)
  db.exec('delete from tags where id = 1')
  db.close()
  t.throws(() => {
    checkCopy(target, contents)
  }, /differs from the database, so no backup was made/)
})
