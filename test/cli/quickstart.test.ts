import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { test } from 'tap'
import type { Test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { hasIpv6, LISTENING } from '../http/service.ts'
import { generationOf } from '../../domain/keys/token.ts'
import { newSecret, run, temporaryFolder } from '../helper.ts'
import { spawned } from './process.ts'
import { command } from './terminal.ts'
import type { Ended } from './terminal.ts'

const ONCE = { args: ['--once'], env: { PORT: '0' } }

/** Runs quickstart once in this process, with its database in a folder. */
const quickstart = async (t: Test, cwd: string, env: Record<string, string> = {}): Promise<Ended> =>
  await command(t, 'quickstart', {
    cwd,
    args: ['--once'],
    env: { PORT: '0', ...database(cwd), ...env }
  })

const database = (cwd: string): Record<string, string> => ({ DATABASE_URL: `file:${join(cwd, 'data.db')}` })

test('quickstart shows every app of every owner in an empty folder, then stops', async t => {
  const cwd = temporaryFolder(t)
  const { code, stdout, stderr } = await spawned(t, 'quickstart', { ...ONCE, cwd }).ended
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /^8 +61bc9f04e2d73a +Carrier Rates +Organization 2 +department:logistics stage:staging$/m)
  t.match(stdout, '24 apps of 7 owners, 12 of them shown here.')
  t.match(stdout, /curl http:\/\/127\.0\.0\.1:\d+\/apps -H 'Authorization: Bearer tck_\w{72}'/)
  t.match(stdout, /http:\/\/127\.0\.0\.1:\d+\/docs/)
  t.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600)
  const saved = parseEnv(readFileSync(join(cwd, '.env'), 'utf8'))
  t.strictSame(Object.keys(saved), ['CLIENT_SECRET'])
  t.match(saved, { CLIENT_SECRET: /^[0-9a-f]{64}$/ })
  t.strictSame(readdirSync(cwd).sort(), ['.env', 'data'])
})

test('quickstart serves until it is interrupted, and its curl line works', async t => {
  const cwd = temporaryFolder(t)
  const running = run(t, 'cli/trivial.ts', { args: ['quickstart'], env: { PORT: '0' }, cwd })
  await running.prints('Press Ctrl-C to stop.')
  const [, url = '', authorization = ''] = /curl (\S+) -H 'Authorization: ([^']+)'/.exec(running.output().stdout) ?? []
  t.equal(((await (await fetch(url, { headers: { authorization } })).json()) as unknown[]).length, 24)
  const docs = /http:\S+\/docs/.exec(running.output().stdout)?.[0] ?? ''
  t.match(await (await fetch(docs)).text(), 'Trivial API')
  running.process.kill('SIGINT')
  t.equal((await running.ended).code, 0)
})

test('run again, quickstart changes nothing but the token of its key, which the service takes too', async t => {
  const cwd = temporaryFolder(t)
  const runs = [await quickstart(t, cwd)]
  const before = readFileSync(join(cwd, '.env'), 'utf8')
  runs.push(await quickstart(t, cwd))
  t.same(
    runs.map(({ code }) => code),
    [0, 0]
  )
  t.match(runs[1]?.stdout, '24 apps of 7 owners')
  t.equal(readFileSync(join(cwd, '.env'), 'utf8'), before)
  const keys = await command(t, 'key:list', { cwd, env: database(cwd), args: ['--json'] })
  t.match(JSON.parse(keys.stdout), [{ name: 'quickstart', source: 'managed', scopes: ['*'] }])
  t.equal((JSON.parse(keys.stdout) as unknown[]).length, 1)

  const service = run(t, 'server.ts', { cwd, env: { PORT: '0', ...database(cwd) } })
  await service.prints('Server listening')
  const port = LISTENING.exec(service.output().stdout)?.[1]
  const statuses: number[] = []
  for (const { stdout } of runs) {
    const authorization = /Authorization: ([^']+)'/.exec(stdout)?.[1] ?? ''
    statuses.push((await fetch(`http://localhost:${port}/apps`, { headers: { authorization } })).status)
  }
  t.same(statuses, [401, 200])
})

test('a quickstart key that was stopped stays so, and one that was revoked makes room for another', async t => {
  const cwd = temporaryFolder(t)
  const cli = async (name: string, ...args: string[]) => await command(t, name, { cwd, env: database(cwd), args })
  t.equal((await quickstart(t, cwd)).code, 0)
  t.equal((await cli('key:disable', 'quickstart')).code, 0)
  t.match(await quickstart(t, cwd), {
    code: 1,
    stderr:
      'The client key quickstart is disabled. Have the next run make a new one with: trivial key revoke quickstart\n'
  })
  t.equal((await cli('key:revoke', 'quickstart')).code, 0)
  t.match(await quickstart(t, cwd), { code: 0, stdout: /24 apps/ })
  t.match(JSON.parse((await cli('key:show', 'quickstart', '--json')).stdout), { revoked_at: null, enabled: true })
})

test('a key named quickstart that is not as quickstart makes it is left as it is, and so is everything else', async t => {
  const cwd = temporaryFolder(t)
  const env = { ...database(cwd), CLIENT_SECRET: newSecret() }
  const cli = async (name: string, ...args: string[]) => await command(t, name, { cwd, env, args })
  t.equal((await cli('key:issue', '--name', 'quickstart')).code, 0)
  const own = ['--description', 'Made by npm run quickstart']
  const changes = [
    [],
    [...own, '--scope', 'apps:read'],
    ['--scope', '*', '--rate', '1/1s'],
    ['--rate', 'none', '--allow-ip', '::1']
  ]
  for (const change of changes) {
    if (change.length > 0) t.equal((await cli('key:change', 'quickstart', ...change)).code, 0)
    const before = (await cli('key:show', 'quickstart', '--json')).stdout
    const ended = await quickstart(t, cwd, env)
    t.same([ended.code, ended.stdout], [1, ''])
    t.match(
      ended.stderr,
      /^The client key quickstart is not as quickstart makes it, so it is left as it is\. Rename it with trivial key change quickstart --name <name>, or revoke it with trivial key revoke quickstart, and try again\.\n$/
    )
    t.equal((await cli('key:show', 'quickstart', '--json')).stdout, before)
    t.notOk(existsSync(join(cwd, '.env')))
  }
  t.equal((await cli('key:change', 'quickstart', '--name', 'mine')).code, 0)
  t.match(await quickstart(t, cwd, env), { code: 0, stdout: /24 apps/ })
  const { tokens } = JSON.parse((await cli('key:show', 'mine', '--json')).stdout) as { tokens: unknown[] }
  t.equal(tokens.length, 1)
})

test("quickstart keeps an .env of one's own as it is", async t => {
  const cwd = temporaryFolder(t)
  const text = `# mine\nCLIENT_SECRET='${newSecret()}'\n  export CLIENT_KEYS="xxx, another-key"  # two\n\nNOTE='two\nlines'`
  writeFileSync(join(cwd, '.env'), text, { mode: 0o640 })
  const { code, stdout } = await quickstart(t, cwd)
  t.equal(code, 0)
  t.match(stdout, '24 apps')
  t.equal(readFileSync(join(cwd, '.env'), 'utf8'), text)
})

test('an .env without a secret gets one, and one without an end of line is not spoilt', async t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, '.env'), 'BASE_URL=https://a.example')
  t.equal((await quickstart(t, cwd)).code, 0)
  t.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600, 'closed to others, now that it holds a secret')
  t.match(readFileSync(join(cwd, '.env'), 'utf8'), /^BASE_URL=https:\/\/a\.example\nCLIENT_SECRET=[0-9a-f]{64}\n$/)
})

test('quickstart refuses an .env in which a name stands twice, and leaves it as it was', async t => {
  const cwd = temporaryFolder(t)
  const text = `CLIENT_SECRET=${newSecret()}\nCLIENT_KEYS=xxx\nCLIENT_KEYS=yyy\n`
  writeFileSync(join(cwd, '.env'), text)
  const { code, stderr } = await spawned(t, 'quickstart', { ...ONCE, cwd }).ended
  t.equal(code, 1)
  t.equal(
    stderr,
    `.env sets a variable more than once. Keep one line of each, with all that is wanted:\n  CLIENT_KEYS is set in lines 2 and 3\n`
  )
  t.equal(readFileSync(join(cwd, '.env'), 'utf8'), text)
})

test('a port in use gets a clear message, and the next run has the secret that the database knows', async t => {
  const cwd = temporaryFolder(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => {
    other.close()
  })
  const { port } = other.address() as AddressInfo
  const { code, stdout, stderr } = await quickstart(t, cwd, { PORT: String(port) })
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(stderr, `PORT: port ${port} of 127.0.0.1 is in use. Stop what listens there, or set PORT to another.\n`)
  t.match(readFileSync(join(cwd, '.env'), 'utf8'), /\nCLIENT_SECRET=[0-9a-f]{64}\n$/)
  t.match(await quickstart(t, cwd), { code: 0, stdout: /24 apps/ })
})

test('without the secret of its database quickstart is refused, and makes no other', async t => {
  const cwd = temporaryFolder(t)
  const secret = newSecret()
  t.equal((await quickstart(t, cwd, { CLIENT_SECRET: secret })).code, 0)
  const { code, stderr } = await quickstart(t, cwd)
  t.equal(code, 1)
  t.match(
    stderr,
    new RegExp(`^CLIENT_SECRET: the database is in use with other secrets\\. .* ${generationOf(secret)}, `)
  )
  t.notOk(existsSync(join(cwd, '.env')))
})

test('quickstart works wherever HOST says, with keys of the environment beside its own', async t => {
  const hosts = [
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ...(hasIpv6
      ? [
          ['::1', '[::1]'],
          ['::', '[::1]']
        ]
      : [])
  ] as const
  for (const [HOST, shown] of hosts) {
    const cwd = temporaryFolder(t)
    const { code, stdout } = await quickstart(t, cwd, { HOST, CLIENT_KEYS: 'xxx', CLIENT_SECRET: newSecret() })
    t.equal(code, 0)
    t.match(stdout, `curl http://${shown}:`)
    t.notOk(existsSync(join(cwd, '.env')), 'there is nothing to be kept in it')
  }
})

test('quickstart says so where the call fails, and leaves no server behind', async t => {
  for (const [spoil, issue] of [
    ["update tags set name = x'ff'", /^GET http:\/\/127\.0\.0\.1:\d+\/apps answered 500: /],
    [
      "delete from tags; delete from apps; delete from users; delete from organizations; create trigger full before insert on users begin select raise(abort, 'no more users'); end",
      /SqliteError: no more users/
    ]
  ] as const) {
    const cwd = temporaryFolder(t)
    const env = { DATABASE_URL: `file:${join(cwd, 'broken.db')}`, LOG_LEVEL: 'silent' }
    t.equal((await command(t, 'db:sample', { cwd, env })).code, 0)
    const db = new Database(join(cwd, 'broken.db'))
    db.exec(spoil)
    db.close()
    const { code, stderr } = await quickstart(t, cwd, env)
    t.equal(code, 1)
    t.match(stderr, issue)
  }
})
