import { join } from 'node:path'
import tap, { test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { openSqliteStore } from '../../db/sqlite/key-store.ts'
import { startProxy } from '../cluster/proxy.ts'
import { newSecret, temporaryFolder } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { copy, emptySource, emptyTarget, rowsOfPostgres, rowsOfSqlite } from './copied.ts'
import { command } from './terminal.ts'

const skip = (await postgresDatabase(tap)) === null

const UNFINISHED = /a copy into it is incomplete/

/** Returns a pattern for the error about a file that has been copied to a database. */
const copiedTo = (target: string): RegExp => {
  const { host, pathname } = new URL(target)
  const name = `postgres://postgres@${host}${pathname}`.replaceAll('.', '\\.')
  return new RegExp(
    `it was copied to ${name}, and changes made here would not be copied.* set ALLOW_COPIED_DATABASE=true\\. Nothing was changed`
  )
}

/** Returns whether services and commands can open a database for changes. */
const isOpened = async (url: string): Promise<boolean> =>
  await openStorage(url).then(
    async storage => {
      await storage.close()
      return true
    },
    () => false
  )

test(
  'the source of a copy can be changed only if that is explicitly allowed, but can always be read',
  { skip },
  async t => {
    const source = await emptySource(t)
    const env = { DATABASE_URL: source, CLIENT_SECRET: newSecret() }
    t.equal((await command(t, 'key:issue', { env, args: ['--name', 'billing'] })).code, 0)
    const target = await emptyTarget(t)
    const url = new URL(target)
    url.password = 'hunter2'
    t.equal((await copy(t, source, url.href)).code, 0)

    const changes = [
      ['key:issue', '--name', 'late'],
      ['key:revoke', 'billing'],
      ['user:create', '--email', 'a@example.com', '--name', 'A'],
      ['db:migrate']
    ] as const
    for (const [name, ...args] of changes) {
      const { code, stderr } = await command(t, name, { env, args })
      t.same([code, copiedTo(target).test(stderr)], [1, true], `${name}: ${stderr}`)
      t.notMatch(stderr, 'hunter2')
    }
    await t.rejects(openStorage(source), { message: copiedTo(target) })
    const path = source.slice('file:'.length)
    t.throws(() => openSqliteStore(path), { message: copiedTo(target) })
    const cwd = temporaryFolder(t)
    for (const [name, ...args] of [
      ['audit:verify'],
      ['key:list'],
      ['key:show', 'billing'],
      ['db:backup', 'b.db']
    ] as const) {
      t.match(await command(t, name, { env, args, cwd }), { code: 0, stderr: '' }, name)
    }
    await t.rejects(
      openStorage(`file:${join(cwd, 'b.db')}`),
      { message: copiedTo(target) },
      'a backup of the source is refused too'
    )

    const allowed = { ...env, ALLOW_COPIED_DATABASE: 'true' }
    t.equal((await command(t, 'key:issue', { env: allowed, args: ['--name', 'late'] })).code, 0)
    openSqliteStore(path, { allowCopied: true }).close()
    const second = await emptyTarget(t)
    t.equal((await copy(t, source, second)).code, 0, 'the changed file can be copied to another database')
    await t.rejects(openStorage(source), { message: copiedTo(second) })
  }
)

test('a copy that fails just before it marks the source leaves the file unchanged', { skip }, async t => {
  const source = await emptySource(t)
  const target = await emptyTarget(t)
  await (await openStorage(target)).close()
  await execute(
    target,
    `create function fail() returns trigger language plpgsql as $$ begin raise 'not yet'; end $$;
    create trigger fail before delete on nodes execute function fail()`
  )
  t.match(await copy(t, source, target), { code: 1, stderr: /^The copy stopped: not yet\. The copied rows are kept/ })
  t.ok(await isOpened(source))
  await t.rejects(openStorage(target), { message: UNFINISHED })
  await execute(target, 'drop function fail cascade')
  t.equal((await copy(t, source, target)).code, 0)
  t.notOk(await isOpened(source))
})

for (const [lost, isComplete] of [
  ['the last commit', false],
  ['the reply to the last commit', true]
] as const) {
  test(`if ${lost} is lost, the source is still marked, and the copy can be completed`, { skip }, async t => {
    const source = await emptySource(t)
    const email = ['--email', 'zoe@example.com', '--name', 'Zoe']
    t.equal((await command(t, 'user:create', { env: { DATABASE_URL: source }, args: email })).code, 0)
    const before = rowsOfSqlite(source)
    const target = await emptyTarget(t)
    const proxy = await startProxy(t, target)
    let ends = false
    let isCommitted = false
    proxy.intercept((direction, text) => {
      ends ||= direction === 'up' && text.includes('drop table copy_progress')
      if (!ends || direction !== (isComplete ? 'down' : 'up')) return false
      isCommitted ||= text.includes(isComplete ? 'COMMIT' : 'commit')
      return isCommitted
    })
    t.match(await copy(t, source, proxy.url), { code: 1, stderr: /^The copy stopped: .* Run this command again/ })
    await t.rejects(openStorage(source), { message: copiedTo(proxy.url) })
    t.equal(await isOpened(target), isComplete)
    proxy.intercept(() => false)
    const again = await copy(t, source, proxy.url)
    if (isComplete) {
      t.match(again, { code: 1, stderr: /in users, audits, audit_head\. Nothing .* so the copy is complete/ })
    } else t.equal(again.code, 0)
    t.same(await rowsOfPostgres(target), before)
    t.ok(await isOpened(target))
    t.notOk(await isOpened(source))
    await (await openStorage(source, { allowCopied: true })).close()
  })
}
