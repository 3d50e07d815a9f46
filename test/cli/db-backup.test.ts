import { copyFileSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { settings, temporaryFolder } from '../helper.ts'
import { command } from './terminal.ts'

const CLEAR = '\r\u001B[K'

/** Creates a folder that contains a database with the sample data. */
const sampleFolder = async (t: Test) => {
  const cwd = temporaryFolder(t)
  const env = { DATABASE_URL: `file:${join(cwd, 'live.db')}` }
  t.equal((await command(t, 'db:sample', { cwd, env })).code, 0)
  return {
    cwd,
    env,
    backup: async (file: string, isTTY = false) => await command(t, 'db:backup', { cwd, env, args: [file], isTTY })
  }
}

test('a backup can replace the database, and contains its audit trail', async t => {
  const { cwd, env, backup } = await sampleFolder(t)
  t.match(await command(t, 'user:create', { cwd, env, args: ['--email', 'zoe@example.com', '--name', 'Zoe'] }), {
    code: 0
  })
  const { code, stdout, stderr } = await backup('backups/copy.db')
  t.same([code, stderr], [0, ''])
  const [, head = ''] =
    /^The database file:\S+ was backed up: \d+ rows in \d+ tables\.\nThe last entry of its audit trail is (\d+:[0-9a-f]{64})\n$/.exec(
      stdout
    ) ?? []
  t.equal(statSync(join(cwd, 'backups/copy.db')).mode & 0o777, 0o600)
  t.equal(statSync(join(cwd, 'backups')).mode & 0o777, 0o700)
  const restored = { DATABASE_URL: `file:${join(cwd, 'backups/copy.db')}` }
  t.match(await command(t, 'audit:verify', { env: restored, args: ['--noted', head] }), {
    code: 0,
    stdout: `The audit trail is intact. The last entry is ${head}\n`
  })
})

test('a database that was replaced with a backup of sample data is served only to this machine', async t => {
  const { cwd, backup } = await sampleFolder(t)
  t.equal((await backup('copy.db')).code, 0)
  const path = join(cwd, 'production.db')
  copyFileSync(join(cwd, 'copy.db'), path)
  const env = settings(t, { DATABASE_URL: `file:${path}`, HOST: '0.0.0.0', PORT: '0' }).env
  t.match(await command(t, 'serve', { cwd, env }), { code: 1, stdout: '', stderr: /is marked as sample data/ })
})

test('an unchanged database can be backed up', async t => {
  const cwd = temporaryFolder(t)
  const env = { DATABASE_URL: `file:${join(cwd, 'new.db')}` }
  t.equal((await command(t, 'db:migrate', { env })).code, 0)
  t.match(await command(t, 'db:backup', { cwd, env, args: ['copy.db'] }), {
    code: 0,
    stdout: /Its audit trail has no entries\.\n$/
  })
})

test('in a terminal, db:backup displays its progress, and clears it at the end', async t => {
  const { cwd, backup } = await sampleFolder(t)
  const { code, stderr } = await backup('copy.db', true)
  t.equal(code, 0)
  t.ok(stderr.startsWith(`${CLEAR}0 % of `))
  t.ok(stderr.endsWith(CLEAR))
  t.match(await backup(cwd, true), {
    code: 1,
    stderr: `\u001B[31m${cwd} already exists and was not changed.\u001B[39m Specify a new file.\n`
  })
})

test('an existing file is not overwritten', async t => {
  const { cwd, backup } = await sampleFolder(t)
  writeFileSync(join(cwd, 'taken'), 'mine')
  t.match(await backup('taken'), { code: 1, stdout: '', stderr: /taken already exists and was not changed\. Specify/ })
  t.equal(readFileSync(join(cwd, 'taken'), 'utf8'), 'mine')
  t.match(await backup('taken/copy.db'), { code: 1, stdout: '', stderr: /^No backup was made: E/ })
})

test("db:backup and db:migrate fail if a folder can't be created, and db:backup also fails if the file is a dangling link", async t => {
  const { cwd, backup } = await sampleFolder(t)
  t.match(await backup('/proc/none/copy.db'), {
    code: 1,
    stderr: /^No backup was made: ENOENT: .* mkdir '\/proc\/none'\n$/
  })
  t.match(await command(t, 'db:migrate', { cwd, env: { DATABASE_URL: 'file:/proc/none/a.db' } }), {
    code: 1,
    stderr: /can't be opened: ENOENT: .* mkdir '\/proc\/none'\n$/
  })
  symlinkSync(join(cwd, 'none/none'), join(cwd, 'link'))
  t.match(await backup('link/copy.db'), { code: 1, stderr: /^No backup was made: ENOENT: .*, open / })
})
