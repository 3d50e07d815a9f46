import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { createTokenSealer, digestOf, generationOf } from '../../domain/keys/token/token.ts'
import { at, newSecret, run, temporaryFolder } from '../helper.ts'
import { command, terminal } from './terminal.ts'
import type { Issued } from './terminal.ts'

test('key:issue --name stores a key with its policy and reports that it is active', async t => {
  const { secret, key, cli, database } = terminal(t)
  const { code, stdout, stderr } = await cli('key:issue', [
    '--name',
    'billing-sync',
    '--scope',
    'audits:read',
    '--scope',
    'apps:read',
    '--expires',
    '90d',
    '--allow-ip',
    '10.0.0.0/8',
    '--allow-ip',
    '2001:db8::/32',
    '--rate',
    '100/5m',
    '--description',
    'Copies invoices',
    '--metadata',
    '{"team":"finance"}'
  ])
  t.same([code, stderr], [0, ''])
  t.match(stdout, /^A new client key, which is active now:$/m)
  t.match(stdout, /Neither of these can be shown again/)
  const token = at(/key_access_token +(tck_\w{72})\n/.exec(stdout) ?? [], 1)
  t.match(createTokenSealer(secret).open(token), { ok: true, keyId: /key_id +([0-9a-f]{32})\n/.exec(stdout)?.[1] })
  t.match(stdout, `Authorization: Bearer ${token}\n`)
  t.notMatch(stdout, 'CLIENT_KEYS')

  const [json, table, list] = await Promise.all([
    cli('key:show', ['billing-sync', '--json']),
    cli('key:show', ['billing-sync']),
    cli('key:list', ['--json'])
  ])
  const shown = JSON.parse(json.stdout)
  t.match(shown, {
    id: /^[0-9a-f]{8}-[0-9a-f]{4}-7/,
    name: 'billing-sync',
    source: 'managed',
    description: 'Copies invoices',
    scopes: ['apps:read', 'audits:read'],
    enabled: true,
    allowed_ips: ['10.0.0.0/8', '2001:db8::/32'],
    rate_limit: { max: 100, window_seconds: 300 },
    metadata: { team: 'finance' },
    created_by: { kind: 'cli', id: String(userInfo().uid), name: userInfo().username },
    revoked_at: null,
    last_used_at: null,
    tokens: [
      { hint: token.slice(-4), generation: generationOf(secret), expires_at: null, revoked_at: null, use_count: 0 }
    ]
  })
  t.ok(Math.abs(Date.parse(shown.expires_at) - Date.parse(shown.created_at) - 90 * 86_400_000) < 10_000)
  for (const row of [
    /^state +active$/m,
    /^scopes +apps:read audits:read$/m,
    /^allowed_ips +10\.0\.0\.0\/8 2001:db8::\/32$/m,
    /^rate_limit +100\/300s$/m,
    new RegExp(`^created +20\\S+Z by cli ${userInfo().username}$`, 'm')
  ]) {
    t.match(table.stdout, row)
  }
  t.match(JSON.parse(list.stdout), [
    { id: shown.id, source: 'managed' },
    { name: /^env_/, source: 'environment' }
  ])
  t.notOk([token, key.keyId, secret].some(secret => (json.stdout + table.stdout + list.stdout).includes(secret)))

  const db = database()
  t.match(
    db.prepare('select action, actor_kind, actor_id, actor_name, subject_id, address, request_id from audits').all(),
    [
      {
        action: 'client_key.issue',
        actor_kind: 'cli',
        actor_id: String(userInfo().uid),
        actor_name: userInfo().username,
        subject_id: shown.id,
        address: null,
        request_id: null
      }
    ]
  )
})

test('without --name, key:issue stores nothing and accepts no policy', async t => {
  const { cli } = terminal(t, { CLIENT_KEYS: '' })
  const [issued, refused] = await Promise.all([cli('key:issue'), cli('key:issue', ['--scope', 'apps:read'])])
  t.match(issued, { code: 0, stdout: /CLIENT_KEYS=[0-9a-f]{32}\n.*Then restart the service to activate the key/s })
  t.match(refused, { code: 2, stdout: '', stderr: /^Only a key with a --name can have a policy\.$/m })
  const [table, json] = await Promise.all([cli('key:list'), cli('key:list', ['--json'])])
  t.match(table, { code: 0, stdout: 'There are no client keys. Issue one: trivial key issue --name <name>\n' })
  t.match(json, { code: 0, stdout: '[]\n' })
})

test('key:issue --json prints only key_id, key_access_token and digest to standard output', async t => {
  const secret = newSecret()
  const { code, stdout, stderr } = await command(t, 'key:issue', { args: ['--json'], env: { CLIENT_SECRET: secret } })
  t.equal(code, 0)
  const issued = JSON.parse(stdout)
  t.strictSame(Object.keys(issued), ['key_id', 'key_access_token', 'digest'])
  t.equal(issued.digest, `sha256:${digestOf(issued.key_id)}`)
  t.match(issued.key_id, /^[0-9a-f]{32}$/)
  t.match(createTokenSealer(secret).open(issued.key_access_token), { ok: true, keyId: issued.key_id })
  t.match(stderr, `CLIENT_KEYS=sha256:${digestOf(issued.key_id)}`)
  t.notMatch(stderr, issued.key_id)
  t.notMatch(stderr, issued.key_access_token)
})

test('key:issue explains what to do with the key, and requires only CLIENT_SECRET', async t => {
  const folder = temporaryFolder(t)
  const secret = newSecret()
  writeFileSync(join(folder, '.env'), `CLIENT_SECRET=${secret}\nPORT=not a port\n`)
  const { code, stdout, stderr } = await command(t, 'key:issue', { cwd: folder })
  t.equal(code, 0)
  t.equal(stderr, '')
  const keyId = /key_id +([0-9a-f]{32})\n/.exec(stdout)?.[1] ?? ''
  const token = /key_access_token +(tck_\w{72})\n/.exec(stdout)?.[1] ?? ''
  t.match(createTokenSealer(secret).open(token), { ok: true, keyId })
  t.match(stdout, `CLIENT_KEYS=${keyId}\n`)
  t.match(stdout, `CLIENT_KEYS=sha256:${digestOf(keyId)}\n`)
  t.match(stdout, /Neither of these can be shown again/)
  t.match(stdout, /Then restart the service to activate the key/)
})

test('without CLIENT_SECRET, key:issue prints the same error as the server', async t => {
  for (const [env, expected] of [
    [{}, 'CLIENT_SECRET is not set. Generate one with: openssl rand -hex 32'],
    [
      { CLIENT_SECRET: 'short' },
      'CLIENT_SECRET (set in the environment) must have at least 32 characters. Generate one with: openssl rand -hex 32'
    ]
  ] as [Record<string, string>, string][]) {
    const issue = await command(t, 'key:issue', { env, args: ['--json'] })
    const server = await run(t, 'server.ts', { env }).ended
    t.same(
      [issue.code, issue.stdout, issue.stderr],
      [1, '', `The configuration can't be used. Fix these variables in the environment or in .env:\n  ${expected}\n`]
    )
    t.equal(server.stderr, issue.stderr)
  }
})

test('if CLIENT_KEYS already has entries, key:issue advises keeping them, and repeats none of them', async t => {
  const { cli, key } = terminal(t)
  const [text, json] = await Promise.all([cli('key:issue'), cli('key:issue', ['--json'])])
  t.match(text.stdout, /add it to CLIENT_KEYS in \.env after the existing entries \(…\)/)
  t.match(text.stdout, /^ {2}CLIENT_KEYS=…,[0-9a-f]{32}$/m)
  t.match(text.stdout, /^ {2}CLIENT_KEYS=…,sha256:[0-9a-f]{64}$/m)
  t.match(json.stderr, /^ {2}CLIENT_KEYS=…,sha256:[0-9a-f]{64}$/m)
  for (const { stdout, stderr } of [text, json]) t.notMatch(stdout + stderr, key.keyId)
})

/** Runs key:issue --allow in a folder with a `.env` file. */
const issueAllowed = async (t: Test, dotenv: string, env: Record<string, string> = {}) => {
  const cwd = temporaryFolder(t)
  const path = join(cwd, '.env')
  writeFileSync(path, dotenv, { mode: 0o600 })
  const ended = await command(t, 'key:issue', { cwd, env, args: ['--allow', '--json'] })
  return { ...ended, cwd, path, text: readFileSync(path, 'utf8') }
}

test('key:issue --allow adds the digest to .env, and leaves everything else unchanged', async t => {
  const secret = newSecret()
  for (const [before, after] of [
    ['', 'CLIENT_KEYS=<digest>\n'],
    ['CLIENT_KEYS=\nPORT=1', 'CLIENT_KEYS=<digest>\nPORT=1'],
    ['# mine\nCLIENT_KEYS=xxx\n', '# mine\nCLIENT_KEYS=xxx,<digest>\n'],
    ['  export CLIENT_KEYS="xxx, yyy"  # two\nN=\'a\nb\'', 'export CLIENT_KEYS="xxx, yyy,<digest>"\nN=\'a\nb\'']
  ]) {
    const { code, stdout, stderr, text, path, cwd } = await issueAllowed(t, `CLIENT_SECRET=${secret}\n${before}`)
    t.equal(code, 0)
    const { key_id: keyId } = JSON.parse(stdout) as Issued
    t.equal(text, `CLIENT_SECRET=${secret}\n${after}`.replace('<digest>', `sha256:${digestOf(keyId)}`))
    t.equal(statSync(path).mode & 0o777, 0o600)
    t.same(readdirSync(cwd), ['.env'])
    t.match(stderr, /Its digest is now in CLIENT_KEYS in \.env\. Restart the service/)
  }
})

test('key:issue --allow creates a missing .env that only its owner can read, and follows symbolic links', async t => {
  const cwd = temporaryFolder(t)
  const env = { CLIENT_SECRET: newSecret() }
  const issue = async () => await command(t, 'key:issue', { cwd, env, args: ['--allow'] })
  const { code, stdout } = await issue()
  t.equal(code, 0)
  t.match(stdout, /key_access_token +tck_\w{72}\n\nIts digest is now in CLIENT_KEYS in \.env\./)
  const path = join(cwd, '.env')
  t.equal(statSync(path).mode & 0o777, 0o600)
  renameSync(path, join(cwd, 'real.env'))
  chmodSync(join(cwd, 'real.env'), 0o640)
  // Only root may change a file's owner.
  if (process.getuid?.() === 0) chownSync(join(cwd, 'real.env'), 1000, 1000)
  symlinkSync('real.env', path)
  const { uid, gid } = statSync(path)
  t.equal((await issue()).code, 0)
  t.ok(lstatSync(path).isSymbolicLink())
  t.equal(statSync(path).mode & 0o777, 0o640, "the file's mode stays unchanged")
  t.match(statSync(path), { uid, gid }, "the file's owner stays unchanged")
  t.match(readFileSync(path, 'utf8'), /\nCLIENT_KEYS=sha256:[0-9a-f]{64},sha256:[0-9a-f]{64}\n$/)
})

test('key:issue --allow leaves .env unchanged and fails if the key would not be allowed or if content would be lost', async t => {
  const secret = `CLIENT_SECRET=${newSecret()}\n`
  const inEnvironment = await issueAllowed(t, secret, { CLIENT_KEYS: 'xxx' })
  t.match(inEnvironment, { code: 1, stdout: '', stderr: /^CLIENT_KEYS is set in the environment/, text: secret })
  const twoLines = await issueAllowed(t, `${secret}CLIENT_KEYS="xxx,\nyyy"\n`)
  t.match(twoLines, {
    code: 1,
    stdout: '',
    stderr: /^CLIENT_KEYS is written in \.env in a way that this command can't edit/
  })
  t.equal(twoLines.text, `${secret}CLIENT_KEYS="xxx,\nyyy"\n`)
  t.same(readdirSync(twoLines.cwd), ['.env'])
  const cwd = temporaryFolder(t)
  const path = join(cwd, '.env')
  const bytes = Buffer.from(`# caf\xe9\n${secret}`, 'latin1')
  writeFileSync(path, bytes)
  t.match(await command(t, 'key:issue', { cwd, env: { CLIENT_SECRET: newSecret() }, args: ['--allow'] }), {
    code: 1,
    stdout: '',
    stderr: /^\S+\.env contains bytes that aren't UTF-8, so it can't be read\. Save it as UTF-8\.\n$/
  })
  t.same(readFileSync(path), bytes)
})

test('if two commands change .env at the same time, one is refused, and no change is lost', async t => {
  const cwd = temporaryFolder(t)
  const path = join(cwd, '.env')
  writeFileSync(path, `CLIENT_SECRET=${newSecret()}\n`)
  const issue = async () => await command(t, 'key:issue', { cwd, args: ['--allow'] })
  writeFileSync(`${path}.tmp`, 'of the other')
  t.match(await issue(), { code: 1, stdout: '', stderr: /^\S+\.env\.tmp exists, so another command/ })
  t.equal(readFileSync(`${path}.tmp`, 'utf8'), 'of the other')
  rmSync(`${path}.tmp`)
  t.equal((await issue()).code, 0)
})

test("key:issue --allow reports that it can't write .env", async t => {
  const cwd = join(temporaryFolder(t), 'gone')
  t.match(await command(t, 'key:issue', { cwd, env: { CLIENT_SECRET: newSecret() }, args: ['--allow'] }), {
    code: 1,
    stdout: '',
    stderr: /^\.env can't be changed: ENOENT/
  })
})
