import { hasIpv6 } from '../http/service.ts'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { test } from 'tap'
import { createServer as createService } from '../../app.ts'
import { newSecret, run, temporaryFolder } from '../helper.ts'
import { spawned } from './process.ts'
import { command } from './terminal.ts'
import { database, execute, pathIn, quickstart, statusesOf } from './quickstart.ts'

const ONCE = { args: ['--once'], env: { PORT: '0' } }

test('in an empty folder, quickstart --once shows apps of every owner, then stops', async t => {
  const cwd = temporaryFolder(t)
  const { code, stdout, stderr } = await spawned(t, 'quickstart', { ...ONCE, cwd }).ended
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /^8 +61bc9f04e2d73a +Carrier Rates +Organization 2 +department:logistics stage:staging$/m)
  t.match(stdout, '24 apps of 7 owners; the first 12 are shown.')
  t.match(stdout, /curl http:\/\/127\.0\.0\.1:\d+\/apps -H 'Authorization: Bearer tck_\w{72}'/)
  t.match(stdout, /http:\/\/127\.0\.0\.1:\d+\/docs/)
  t.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600)
  const saved = parseEnv(readFileSync(join(cwd, '.env'), 'utf8'))
  t.strictSame(Object.keys(saved), ['CLIENT_SECRET'])
  t.match(saved, { CLIENT_SECRET: /^[0-9a-f]{64}$/ })
  t.strictSame(readdirSync(cwd).sort(), ['.env', 'data'])
  t.strictSame(readdirSync(join(cwd, 'data')), ['sample.db'])
})

test('quickstart serves until it is interrupted, and its curl command works', async t => {
  const cwd = temporaryFolder(t)
  const env = { PORT: '0', PUBLIC_URL: 'https://example.com/keys' }
  const running = run(t, 'cli/trivial.ts', { args: ['quickstart'], env, cwd })
  await running.prints('Press Ctrl-C to stop.')
  const [, url = '', authorization = ''] = /curl (\S+) -H 'Authorization: ([^']+)'/.exec(running.output().stdout) ?? []
  t.equal(((await (await fetch(url, { headers: { authorization } })).json()) as unknown[]).length, 24)
  const docs = /http:\S+\/docs/.exec(running.output().stdout)?.[0] ?? ''
  t.match(await (await fetch(docs)).text(), 'Trivial API')
  const servers = [{ url: docs.slice(0, -'/docs'.length) }]
  t.match(
    await (await fetch(`${docs}/json`)).json(),
    { servers },
    'PUBLIC_URL is ignored, because only this machine is served'
  )
  running.process.kill('SIGINT')
  t.equal((await running.ended).code, 0)
})

test('a later run of quickstart changes only its key, and the service accepts the new token', async t => {
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
  t.same(await statusesOf(t, cwd, runs), [401, 200])
})

test('quickstart is refused with another DATABASE_URL, and the command that it suggests works', async t => {
  const cwd = temporaryFolder(t)
  const other = { DATABASE_URL: `file:${join(cwd, 'mine.db')}` }
  const saved = `DATABASE_URL=file:./data/trivial.db\n`
  writeFileSync(join(cwd, '.env'), saved)
  for (const env of [{}, other, { DATABASE_URL: 'postgres://u:hunter2@db.example.com/d' }]) {
    const { code, stdout, stderr } = await quickstart(t, cwd, env)
    t.same([code, stdout], [1, ''])
    const place = 'DATABASE_URL' in env ? 'the environment' : '.env'
    t.equal(
      stderr,
      `DATABASE_URL (set in ${place}) specifies another database, but quickstart only uses its own. Run this: DATABASE_URL=file:${cwd}/data/sample.db trivial quickstart\n`
    )
    t.same(readdirSync(cwd), ['.env'])
    t.equal(readFileSync(join(cwd, '.env'), 'utf8'), saved)
  }
  const own = /DATABASE_URL=(\S+) trivial/.exec((await quickstart(t, cwd)).stderr)?.[1] ?? ''
  t.match(await quickstart(t, cwd, { DATABASE_URL: own }), { code: 0, stdout: /24 apps/ })
  t.same(readdirSync(join(cwd, 'data')), ['sample.db'])
})

test('users in the sample data get random passwords, which only the first run prints and no run stores in plain text', async t => {
  const cwd = temporaryFolder(t)
  const first = await quickstart(t, cwd)
  const logins = [...first.stdout.matchAll(/^ {2}(\w+@example\.com) +(\S+)$/gm)]
  t.equal(new Set(logins.map(([, , password]) => password)).size, 4, 'all passwords differ')
  t.match((await quickstart(t, cwd)).stdout, /Its users keep their passwords\.\n(?!.*@)/s)
  const env = parseEnv(readFileSync(join(cwd, '.env'), 'utf8'))
  const service = await createService({ ...env, ...database(cwd), LOG_LEVEL: 'silent' })
  t.teardown(() => service.close())
  for (const [, email, password = ''] of logins) {
    t.match(password, /^[\w-]{24}$/)
    t.notOk(readFileSync(pathIn(cwd)).includes(password))
    const reply = await service.inject({ method: 'POST', url: '/auth/sign_in', payload: { email, password } })
    t.equal(reply.statusCode, 200)
  }
})

test("quickstart stops if the passwords can't be written", async t => {
  t.match(await command(t, 'quickstart', { ...ONCE, unwritable: 'ENOSPC' }), {
    code: 1,
    stderr: /^The output could not be written.* To get new passwords, delete its database and load it again\.\n$/
  })
})

test('quickstart leaves an existing .env unchanged', async t => {
  const cwd = temporaryFolder(t)
  const text = `# mine\nCLIENT_SECRET='${newSecret()}'\n  export CLIENT_KEYS="xxx, another-key"  # two\n\nNOTE='two\nlines'`
  writeFileSync(join(cwd, '.env'), text, { mode: 0o640 })
  const { code, stdout } = await quickstart(t, cwd)
  t.equal(code, 0)
  t.match(stdout, '24 apps')
  t.equal(readFileSync(join(cwd, '.env'), 'utf8'), text)
})

test('quickstart adds a secret to an .env without one, even if its last line has no line break', async t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, '.env'), 'BASE_URL=https://a.example')
  t.equal((await quickstart(t, cwd)).code, 0)
  t.equal(
    statSync(join(cwd, '.env')).mode & 0o777,
    0o600,
    'the file now contains a secret, so only its owner can read it'
  )
  t.match(readFileSync(join(cwd, '.env'), 'utf8'), /^BASE_URL=https:\/\/a\.example\nCLIENT_SECRET=[0-9a-f]{64}\n$/)
})

test('quickstart rejects a .env file that sets a variable twice, and leaves it unchanged', async t => {
  const cwd = temporaryFolder(t)
  const text = `CLIENT_SECRET=${newSecret()}\nCLIENT_KEYS=xxx\nCLIENT_KEYS=yyy\n`
  writeFileSync(join(cwd, '.env'), text)
  const { code, stderr } = await spawned(t, 'quickstart', { ...ONCE, cwd }).ended
  t.equal(code, 1)
  t.equal(
    stderr,
    '.env sets a variable more than once. Keep only one line for each variable:\n  CLIENT_KEYS is set on lines 2 ' +
      'and 3\n'
  )
  t.equal(readFileSync(join(cwd, '.env'), 'utf8'), text)
})

test('a port in use is reported clearly and leaves no .env behind, and the next run works', async t => {
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
  t.equal(
    stderr,
    `PORT (set in the environment): port ${port} of 127.0.0.1 is in use. Stop the process that uses it, or set another port.\n`
  )
  t.notOk(existsSync(join(cwd, '.env')))
  t.match(await quickstart(t, cwd), { code: 0, stdout: /24 apps/ })
})

test('quickstart serves only this machine, and leaves no .env behind if it is refused', async t => {
  for (const env of [{ HOST: '0.0.0.0' }, { TRUST_PROXY: '10.0.0.1' }]) {
    const cwd = temporaryFolder(t)
    t.match(await quickstart(t, cwd, env), { code: 1, stdout: '', stderr: /is marked as sample data/ })
    t.notOk(existsSync(join(cwd, '.env')))
  }
})

test('quickstart rejects an existing database at its path that is not marked as sample data', async t => {
  const cwd = temporaryFolder(t)
  t.equal((await command(t, 'db:migrate', { env: database(cwd) })).code, 0)
  t.match(await quickstart(t, cwd), {
    code: 1,
    stdout: '',
    stderr: /is not marked as sample data.* move this one\./
  })
})

test('quickstart reports that its request failed, and stops the server', async t => {
  for (const [spoil, issue] of [
    ["update tags set name = x'ff'", /^GET http:\/\/127\.0\.0\.1:\d+\/apps failed with 503: /],
    [
      "delete from tags; delete from apps; delete from users; delete from organizations; create trigger full before insert on users begin select raise(abort, 'no more users'); end",
      /SqliteError: no more users/
    ]
  ] as const) {
    const cwd = temporaryFolder(t)
    t.equal((await command(t, 'db:sample', { cwd })).code, 0)
    execute(cwd, spoil)
    const { code, stderr } = await quickstart(t, cwd, { LOG_LEVEL: 'silent' })
    t.equal(code, 1)
    t.match(stderr, issue)
  }
})

test('a disabled quickstart key stays disabled, but a revoked one is replaced', async t => {
  const cwd = temporaryFolder(t)
  const cli = async (name: string, ...args: string[]) => await command(t, name, { cwd, env: database(cwd), args })
  t.equal((await quickstart(t, cwd)).code, 0)
  t.equal((await cli('key:disable', 'quickstart')).code, 0)
  t.match(await quickstart(t, cwd), {
    code: 1,
    stderr:
      'The client key quickstart is disabled. Revoke it so that the next run can issue a new one: ' +
      `DATABASE_URL=file:${pathIn(cwd)} trivial key revoke quickstart\n`
  })
  t.equal((await cli('key:revoke', 'quickstart')).code, 0)
  t.match(await quickstart(t, cwd), { code: 0, stdout: /24 apps/ })
  t.match(JSON.parse((await cli('key:show', 'quickstart', '--json')).stdout), { revoked_at: null, enabled: true })
})

test('quickstart refuses a key that has its name but a different policy, and changes nothing', async t => {
  const cwd = temporaryFolder(t)
  const env = { ...database(cwd), CLIENT_SECRET: newSecret() }
  t.equal((await command(t, 'db:sample', { cwd })).code, 0)
  const cli = async (name: string, ...args: string[]) => await command(t, name, { cwd, env, args })
  t.equal((await cli('key:issue', '--name', 'quickstart')).code, 0)
  const own = ['--description', 'Made by npm run quickstart', '--expires', '7d']
  const changes = [
    [],
    [...own, '--scope', 'apps:read'],
    ['--scope', '*', '--rate', '1/1s'],
    ['--rate', 'none', '--allow-ip', '::1'],
    ['--allow-ip', 'any', '--expires', 'never'],
    ['--expires', '8d']
  ]
  for (const change of changes) {
    if (change.length > 0) t.equal((await cli('key:change', 'quickstart', ...change)).code, 0)
    const before = (await cli('key:show', 'quickstart', '--json')).stdout
    const ended = await quickstart(t, cwd, env)
    t.same([ended.code, ended.stdout], [1, ''])
    t.match(
      ended.stderr,
      /^The client key quickstart was changed or was not issued by quickstart, so it was not replaced\. Rename it with DATABASE_URL=\S+ trivial key change quickstart --name <name>, or revoke it with DATABASE_URL=\S+ trivial key revoke quickstart, and try again\.\n$/
    )
    t.equal((await cli('key:show', 'quickstart', '--json')).stdout, before)
    t.notOk(existsSync(join(cwd, '.env')))
  }
  t.equal((await cli('key:change', 'quickstart', '--name', 'mine')).code, 0)
  t.match(await quickstart(t, cwd, env), { code: 0, stdout: /24 apps/ })
  const { tokens } = JSON.parse((await cli('key:show', 'mine', '--json')).stdout) as { tokens: unknown[] }
  t.equal(tokens.length, 1)
})

test('quickstart works with any HOST, and with environment keys in addition to its own key', async t => {
  const ALLOW_SAMPLE_DATA = 'true'
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
    const env = { ALLOW_SAMPLE_DATA, CLIENT_KEYS: 'xxx', CLIENT_SECRET: newSecret() }
    const { code, stdout } = await quickstart(t, cwd, { HOST, ...env })
    t.equal(code, 0)
    t.match(stdout, `curl http://${shown}:`)
    t.notOk(existsSync(join(cwd, '.env')), 'there is nothing to store in .env')
  }
})
