import tap, { test } from 'tap'
import { copyDatabase, openStorage } from '../../db/open.ts'
import { postgresDatabase } from '../postgres.ts'
import { breakableProxy, copy, emptyTarget, keySource, rowsOfPostgres, rowsOfSqlite, blockingTarget } from './copied.ts'
import { spawned } from './process.ts'
import { command } from './terminal.ts'

const skip = (await postgresDatabase(tap)) === null

const UNFINISHED = /a copy into it is incomplete\. Run npm run db:copy again, or drop the database\./

/** Copies some batches, then throws, as if the program had a bug. */
const stopAfter = async (source: string, url: string, batches: number): Promise<unknown> => {
  let left = batches
  return await copyDatabase(source, { url }, () => {
    if (left-- === 0) throw new Error('enough')
  }).catch((error: unknown) => error)
}

test(
  "a copy that stopped after any batch can be resumed from there, and the target can't be opened until the copy is complete",
  { skip },
  async t => {
    const source = await keySource(t)
    const before = rowsOfSqlite(source)
    for (const batches of [0, 1, 4, 6]) {
      const target = await emptyTarget(t)
      t.match(await stopAfter(source, target, batches), {
        message: 'The copy stopped: enough.',
        hint: 'The copied rows are kept. Run this command again to continue.'
      })
      await t.rejects(openStorage(target), { message: UNFINISHED })
      t.match(await command(t, 'db:migrate', { env: { DATABASE_URL: target } }), { code: 1, stderr: UNFINISHED })
      t.match(await stopAfter(source, target, 0), { message: 'The copy stopped: enough.' })
      t.equal((await copy(t, source, target)).code, 0)
      t.same(await rowsOfPostgres(target), before)
      await (await openStorage(target)).close()
    }
  }
)

for (const [table, condition] of [
  ['users', 'true'],
  ['client_keys', 'new.row = 1500'],
  ['client_key_tokens', 'new.client_key = 7'],
  ['audits', 'new.sequence = 1']
] as const) {
  test(`a copy that is killed while it is copying ${table} can be resumed`, { skip }, async t => {
    const source = await keySource(t)
    const email = ['--email', 'zoe@example.com', '--name', 'Zoe']
    t.equal((await command(t, 'user:create', { env: { DATABASE_URL: source }, args: email })).code, 0)
    const before = rowsOfSqlite(source)
    const target = await blockingTarget(t, table, condition)
    const typed = { env: { DATABASE_URL: source }, args: ['--to', target.url] }
    const killed = spawned(t, 'db:copy', typed)
    await target.waits()
    killed.process.kill('SIGKILL')
    await killed.ended
    await target.go()
    const { code, stdout, stderr } = await spawned(t, 'db:copy', typed).ended
    t.same([code, stderr], [0, ''])
    t.match(stdout, /\nThe last entry of the audit trail is 1:/)
    t.same(await rowsOfPostgres(target.url), before)
  })
}

test('a lost connection is reported, and the copy can be resumed', { skip }, async t => {
  const source = await keySource(t)
  const target = await blockingTarget(t, 'client_keys', 'new.row = 1500')
  const proxy = await breakableProxy(t, target.url)
  const stopped = copy(t, source, proxy.url)
  await target.waits()
  proxy.cut()
  t.match(await stopped, {
    code: 1,
    stdout: '',
    stderr: /^The copy stopped: .*\. The copied rows are kept\. Run this command/
  })
  await target.go()
  t.equal((await copy(t, source, target.url)).code, 0)
})
