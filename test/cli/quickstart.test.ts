import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import Database from 'better-sqlite3'
import { test } from 'tap'
import { hasIpv6 } from '../http/service.ts'
import { newSecret, run, temporaryFolder } from '../helper.ts'

const ONCE = { args: ['--once'], env: { PORT: '0' } }

test('quickstart shows every app of every owner in an empty folder, then stops', async t => {
  const cwd = temporaryFolder(t)
  const { code, stdout, stderr } = await run(t, 'cli/quickstart.ts', { ...ONCE, cwd }).ended
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /^8 +61bc9f04e2d73a +Carrier Rates +Organization 2 +department:logistics stage:staging$/m)
  t.match(stdout, '24 apps of 7 owners, 12 of them shown here.')
  t.match(stdout, /curl http:\/\/localhost:\d+\/apps -H 'Authorization: Bearer tck_\w{72}'/)
  t.match(stdout, /http:\/\/localhost:\d+\/docs/)
  t.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600)
  const saved = parseEnv(readFileSync(join(cwd, '.env'), 'utf8'))
  t.match(saved, { CLIENT_SECRET: /^[0-9a-f]{64}$/, CLIENT_KEYS: /^sha256:[0-9a-f]{64}$/ })
  t.strictSame(readdirSync(cwd).sort(), ['.env', 'data'])
})

test('quickstart serves until it is interrupted, and its curl line works', async t => {
  const cwd = temporaryFolder(t)
  const running = run(t, 'cli/quickstart.ts', { env: { PORT: '0' }, cwd })
  await running.prints('Press Ctrl-C to stop.')
  const [, url, authorization] = /curl (\S+) -H 'Authorization: ([^']+)'/.exec(running.output().stdout) ?? []
  t.equal((await (await fetch(url, { headers: { authorization } })).json() as unknown[]).length, 24)
  const docs = /http:\S+\/docs/.exec(running.output().stdout)?.[0] ?? ''
  t.match(await (await fetch(docs)).text(), 'Trivial API')
  running.process.kill('SIGINT')
  t.equal((await running.ended).code, 0)
})

test('run again, quickstart loses nothing, and the keys of both runs work', async t => {
  const cwd = temporaryFolder(t)
  const runs = [await run(t, 'cli/quickstart.ts', { ...ONCE, cwd }).ended]
  const first = parseEnv(readFileSync(join(cwd, '.env'), 'utf8'))
  runs.push(await run(t, 'cli/quickstart.ts', { ...ONCE, cwd }).ended)
  const second = parseEnv(readFileSync(join(cwd, '.env'), 'utf8'))
  t.same(runs.map(({ code }) => code), [0, 0])
  t.match(runs[1].stdout, '24 apps of 7 owners')
  t.equal(second['CLIENT_SECRET'], first['CLIENT_SECRET'])
  t.match(second['CLIENT_KEYS'], new RegExp(`^${first['CLIENT_KEYS']},sha256:[0-9a-f]{64}$`))

  const service = run(t, 'server.ts', { cwd, env: { PORT: '0' } })
  await service.prints('Server listening')
  const port = /127\.0\.0\.1:(\d+)/.exec(service.output().stdout)?.[1]
  for (const { stdout } of runs) {
    const [, authorization] = /Authorization: ([^']+)'/.exec(stdout) ?? []
    t.equal((await fetch(`http://localhost:${port}/apps`, { headers: { authorization } })).status, 200)
  }
})

test('quickstart keeps what an .env of one\'s own says', async t => {
  const cwd = temporaryFolder(t)
  const secret = newSecret()
  const real = join(cwd, 'real.env')
  writeFileSync(real, `# mine\nCLIENT_SECRET='${secret}'\n  export CLIENT_KEYS="xxx, another-key"  # two\nBASE_URL="https://a.example"\n\nNOTE='two\nlines'`)
  chmodSync(real, 0o640)
  symlinkSync(real, join(cwd, '.env'))
  const { code, stdout } = await run(t, 'cli/quickstart.ts', { ...ONCE, cwd }).ended
  t.equal(code, 0)
  t.match(stdout, '24 apps')
  const text = readFileSync(real, 'utf8')
  t.match(text, /^# mine\nCLIENT_SECRET='[0-9a-f]{64}'\nexport CLIENT_KEYS="xxx, another-key,sha256:[0-9a-f]{64}"\nBASE_URL="https:\/\/a\.example"\n\nNOTE='two\nlines'$/)
  t.equal(statSync(real).mode & 0o777, 0o640)
})

test('an .env without a secret gets one, and one without an end of line is not spoilt', async t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, '.env'), 'BASE_URL=https://a.example')
  t.equal((await run(t, 'cli/quickstart.ts', { ...ONCE, cwd }).ended).code, 0)
  t.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600, 'closed to others, now that it holds a secret')
  t.match(readFileSync(join(cwd, '.env'), 'utf8'), /^BASE_URL=https:\/\/a\.example\nCLIENT_SECRET=[0-9a-f]{64}\nCLIENT_KEYS=sha256:[0-9a-f]{64}\n$/)
})

test('quickstart refuses an .env it can\'t edit safely, and leaves it as it was', async t => {
  for (const lines of ['CLIENT_KEYS="xxx,\nyyy"\n', 'CLIENT_KEYS=xxx\nCLIENT_KEYS=yyy\n']) {
    const cwd = temporaryFolder(t)
    const text = `CLIENT_SECRET=${newSecret()}\n${lines}`
    writeFileSync(join(cwd, '.env'), text)
    const { code, stderr } = await run(t, 'cli/quickstart.ts', { ...ONCE, cwd }).ended
    t.equal(code, 1)
    t.match(stderr, /^CLIENT_KEYS is written in \.env in a way that can't be edited here/)
    t.equal(readFileSync(join(cwd, '.env'), 'utf8'), text)
  }
})

test('a port in use gets a clear message and changes nothing', async t => {
  const cwd = temporaryFolder(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => { other.close() })
  const { port } = other.address() as AddressInfo
  const { code, stdout, stderr } = await run(t, 'cli/quickstart.ts', { args: ['--once'], env: { PORT: String(port) }, cwd }).ended
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(stderr, `PORT: port ${port} of localhost is in use. Stop what listens there, or set PORT to another.\n`)
  t.notOk(existsSync(join(cwd, '.env')))
})

test('quickstart works wherever HOST says, with keys of the environment beside its own', async t => {
  const hosts = [['0.0.0.0', '127.0.0.1'], ['127.0.0.1', '127.0.0.1'], ...hasIpv6 ? [['::1', '[::1]'], ['::', '[::1]']] : []]
  for (const [HOST, shown] of hosts) {
    const cwd = temporaryFolder(t)
    const { code, stdout } = await run(t, 'cli/quickstart.ts', { args: ['--once'], cwd, env: { PORT: '0', HOST, CLIENT_KEYS: 'xxx', CLIENT_SECRET: newSecret() } }).ended
    t.equal(code, 0)
    t.match(stdout, `curl http://${shown}:`)
    t.match(readFileSync(join(cwd, '.env'), 'utf8'), /^# Made by npm run quickstart.*\nCLIENT_KEYS=sha256:[0-9a-f]{64}\n$/)
  }
})

test('quickstart says so where the call fails, and leaves no server behind', async t => {
  for (const [spoil, complaint] of [
    ["update tags set name = x'ff'", /^GET http:\/\/localhost:\d+\/apps answered 500: /],
    ["delete from tags; delete from apps; delete from users; delete from organizations; create trigger full before insert on users begin select raise(abort, 'no more users'); end", /SqliteError: no more users/]
  ] as const) {
    const cwd = temporaryFolder(t)
    const env = { PORT: '0', DATABASE_URL: `file:${join(cwd, 'broken.db')}`, LOG_LEVEL: 'silent' }
    t.equal((await run(t, 'cli/db-sample.ts', { cwd, env }).ended).code, 0)
    const db = new Database(join(cwd, 'broken.db'))
    db.exec(spoil)
    db.close()
    const { code, stderr } = await run(t, 'cli/quickstart.ts', { cwd, env, args: ['--once'] }).ended
    t.equal(code, 1)
    t.match(stderr, complaint)
  }
})
