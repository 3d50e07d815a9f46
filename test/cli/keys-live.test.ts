import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import type { Test } from 'tap'
import { openStores } from '../../db/open.ts'
import { createKeyRegistry } from '../../keys/registry.ts'
import type { KeyRegistry } from '../../keys/registry.ts'
import type { Author } from '../../keys/store.ts'
import { createTokenSealer, digestOf, generationOf, issueClientKey } from '../../keys/token.ts'
import { logLines, start } from '../http/service.ts'
import type { Service } from '../http/service.ts'
import { newSecret, run, settings } from '../helper.ts'

const author: Author = { origin: { actor: { kind: 'cli', id: '1', name: 'tester' }, address: null, requestId: null }, token: null }

interface Ended { code: number | null, stdout: string, stderr: string }

interface Issued { id: string, name: string, key_id: string, key_access_token: string }

interface Live {
  service: Service
  /** Runs a command on the database of the service, in a process of its own. */
  cli (command: string, args?: string[], input?: string): Promise<Ended>
  /** Issues a key by HTTP, which is quicker than a process. */
  issue (name: string): Promise<Issued>
  /** The status of a request with a token, now. */
  get (token: string, path?: string): Promise<number>
}

const live = async (t: Test, env: Record<string, string> = {}): Promise<Live> => {
  const service = await start(t, env)
  const cli: Live['cli'] = async (command, args = [], input = '') => await run(t, `cli/${command}.ts`, { env: service.env, args, input }).ended
  return {
    service,
    cli,
    issue: async name => {
      const response = await fetch(`http://127.0.0.1:${service.port}/client_keys`, {
        method: 'POST', headers: { ...service.headers, 'content-type': 'application/json' }, body: JSON.stringify({ name })
      })
      t.equal(response.status, 201)
      return await response.json() as Issued
    },
    get: async (token, path = '/apps') => await statusOf(service.port, token, path)
  }
}

const statusOf = async (port: number, token: string, path = '/apps'): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}`, 'user-agent': 'billing-sync/2.1' } })
  await response.arrayBuffer()
  return response.status
}

/** The service, stopped, has written down all that it saw. */
const stop = async ({ process, ended }: Service): Promise<void> => {
  process.kill('SIGTERM')
  await ended
}

test('a key issued, disabled and enabled at the command line is let in or refused from the next request on', async t => {
  const { cli, get } = await live(t)
  const { key_access_token: token } = JSON.parse((await cli('key-issue', ['--name', 'billing-sync', '--json'])).stdout) as Issued
  t.equal(await get(token), 200)
  t.match(await cli('key-disable', ['billing-sync']), { code: 0, stderr: '' })
  t.equal(await get(token), 401)
  t.match(await cli('key-enable', ['-'], `${token}\n`), { code: 0, stderr: '' }, 'the token of a disabled key still names it')
  t.equal(await get(token), 200)
})

test('a key whose scopes, addresses, expiry or rate are changed at the command line is held to them from the next request on', async t => {
  const { cli, issue, get } = await live(t)
  const { id, key_access_token: token } = await issue('billing-sync')
  const change = async (...args: string[]): Promise<void> => {
    t.match(await cli('key-change', [id, ...args]), { code: 0, stderr: '' }, args.join(' '))
  }
  t.same([await get(token), await get(token)], [200, 200])
  await change('--scope', 'audits:read')
  t.same([await get(token), await get(token, '/audits')], [403, 200])
  await change('--scope', 'apps:read', '--rate', '1/60s')
  t.same([await get(token), await get(token)], [200, 429])
  await change('--rate', 'none', '--allow-ip', '192.0.2.1')
  t.equal(await get(token), 403)
  await change('--allow-ip', 'any', '--expires', new Date(Date.now() - 1000).toISOString())
  t.equal(await get(token), 401)
  await change('--expires', 'never')
  t.equal(await get(token), 200)
})

test('rotated at the command line, the new token is good at once, and without grace the old one is refused', async t => {
  const { cli, issue, get } = await live(t)
  const { name, key_access_token: first } = await issue('billing-sync')
  t.equal(await get(first), 200)
  const { key_access_token: second } = JSON.parse((await cli('key-rotate', ['-', '--json'], first)).stdout) as Issued
  t.same([await get(first), await get(second)], [200, 200], 'in the grace both are good')
  const { key_access_token: third } = JSON.parse((await cli('key-rotate', [name, '--grace', '0s', '--json'])).stdout) as Issued
  t.same([await get(first), await get(second), await get(third)], [401, 401, 200])
})

test('revoked at the command line by its token, a key is refused on the next request, and its name is free', async t => {
  const { cli, issue, get } = await live(t)
  const old = await issue('billing-sync')
  t.equal(await get(old.key_access_token), 200)
  t.match(await cli('key-revoke', ['-'], `  ${old.key_access_token}\r\n`), { code: 0, stderr: '' })
  t.equal(await get(old.key_access_token), 401)
  const next = JSON.parse((await cli('key-issue', ['--name', 'billing-sync', '--json'])).stdout) as Issued
  t.not(next.id, old.id)
  t.same([await get(old.key_access_token), await get(next.key_access_token)], [401, 200])
  t.match(JSON.parse((await cli('key-show', ['billing-sync', '--json'])).stdout), { id: next.id, revoked_at: null }, 'a name stands for the key that is not revoked')
})

test('an environment key revoked at the command line is refused without a restart', async t => {
  const { service, cli, get } = await live(t)
  const { key: { keyAccessToken: token } } = service
  t.equal(await get(token), 200)
  const [{ id, source }] = JSON.parse((await cli('key-list', ['--json'])).stdout) as { id: string, source: string }[]
  t.match({ id, source }, { id: /^env_[0-9a-f]{16}$/, source: 'environment' })
  const refused = await Promise.all([cli('key-rotate', [id]), cli('key-change', [id, '--scope', 'apps:read'])])
  for (const ended of refused) t.match(ended, { code: 1, stdout: '', stderr: /can be revoked here, but neither changed nor rotated/ })
  t.equal(await get(token), 200)
  t.match(await cli('key-revoke', [id]), { code: 0, stderr: '' })
  t.equal(await get(token), 401)
  const [rest, all] = await Promise.all([cli('key-list'), cli('key-list', ['--all'])])
  t.match(rest, { code: 0, stdout: /^There are no client keys/ })
  t.match(all, { code: 0, stdout: new RegExp(`${id} +revoked`) })
})

test('what one server process changes by HTTP holds for another on the next request', async t => {
  const { service, issue, get } = await live(t)
  const other = await start(t, { DATABASE_URL: service.env['DATABASE_URL'], CLIENT_SECRET: service.secret, CLIENT_KEYS: '' })
  const { id, key_access_token: token } = await issue('billing-sync')
  const change = async (method: string, path: string, body: object): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${service.port}/client_keys/${id}${path}`, {
      method, headers: { ...service.headers, 'content-type': 'application/json' }, body: JSON.stringify(body)
    })
    t.equal(response.status, 200)
    await response.arrayBuffer()
  }
  const both = async (): Promise<number[]> => [await statusOf(other.port, token), await get(token)]
  t.same(await both(), [200, 200])
  for (const [narrower, status, wider] of [
    [{ enabled: false }, 401, { enabled: true }],
    [{ scopes: ['audits:read'] }, 403, { scopes: ['*'] }],
    [{ allowed_ips: ['192.0.2.1'] }, 403, { allowed_ips: [] }],
    [{ expires_at: '2020-01-01T00:00:00Z' }, 401, { expires_at: null }]
  ] as const) {
    await change('PATCH', '', narrower)
    t.same(await both(), [status, status], JSON.stringify(narrower))
    await change('PATCH', '', wider)
    t.same(await both(), [200, 200], JSON.stringify(wider))
  }
  await change('PATCH', '', { rate_limit: { max: 1, window_seconds: 60 } })
  t.same([await statusOf(other.port, token), await statusOf(other.port, token)], [200, 429])
  await change('POST', '/revoke', {})
  t.same(await both(), [401, 401])
})

test('how a key was used is shown, and what it needs is advised', async t => {
  const { service, cli, issue, get } = await live(t)
  const { id, key_access_token: token } = await issue('billing-sync')
  await issue('idle')
  t.same([await get(token), await get(token), await get(token, '/audits')], [200, 200, 200])
  await stop(service)

  const [json, table, list, advice, text, idle, days] = await Promise.all([
    cli('key-show', [id, '--json']), cli('key-show', ['-'], token), cli('key-list'),
    cli('key-advise', ['billing-sync', '--json']), cli('key-advise', ['-', '--days', '1'], token), cli('key-advise', ['idle']), cli('key-advise', [id, '--days', '91'])
  ])
  const shown = JSON.parse(json.stdout)
  t.match(shown, { last_used_at: /^20/, tokens: [{ last_used_at: shown.last_used_at, last_used_ip: '127.0.0.1', last_used_agent: 'billing-sync/2.1', use_count: 3 }] })
  t.equal(shown.tokens[0].hint, token.slice(-4))
  t.match(table.stdout, new RegExp(`^…${token.slice(-4)} +${generationOf(service.secret)} .* 127\\.0\\.0\\.1 +billing-sync/2\\.1 +3$`, 'm'))
  t.match(list.stdout, new RegExp(`^${id} +billing-sync +live +\\* +never +20\\S+Z$`, 'm'))
  t.equal(advice.code, 0)
  t.strictSame(JSON.parse(advice.stdout), { scopes: ['apps:read', 'audits:read'], allowed_ips: ['127.0.0.1'] })
  t.match(text, { code: 0, stdout: new RegExp(`^3 requests of billing-sync .*PATCH /client_keys/${id}`, 's') })
  t.match(idle, { code: 1, stdout: '', stderr: 'Nothing was seen of idle in these days, so there is nothing to go by.\n' })
  t.match(days, { code: 2, stdout: '', stderr: /^--days must be a number from 1 to 90\.$/m })

  const again = await start(t, { DATABASE_URL: service.env['DATABASE_URL'], CLIENT_SECRET: service.secret, CLIENT_KEYS: service.key.keyId })
  const patched = await fetch(`http://127.0.0.1:${again.port}/client_keys/${id}`, {
    method: 'PATCH', headers: { ...service.headers, 'content-type': 'application/json' }, body: advice.stdout
  })
  t.equal(patched.status, 200, 'the advice is a body for PATCH')
  t.same([await statusOf(again.port, token), await statusOf(again.port, token, '/audits'), await statusOf(again.port, token, '/client_keys')], [200, 200, 403])
})

test('key:secrets tells which secrets tokens depend on, and a start warns of one that is missing', async t => {
  const [current, previous, lost] = [newSecret(), newSecret(), newSecret()]
  const { env } = settings(t, { CLIENT_SECRET: current, CLIENT_SECRET_PREVIOUS: previous })
  const names = { [current]: 'new', [previous]: 'old', [lost]: 'lost' }
  const stores = openStores(env['DATABASE_URL'])
  t.teardown(() => { stores.close() })
  const registryUnder = (secret: string): KeyRegistry => createKeyRegistry({ store: stores.clientKeys, sealer: createTokenSealer(secret), secrets: [secret], allowList: [] })
  const ids: Record<string, string> = {}
  for (const [secret, name] of Object.entries(names)) ids[name] = (await registryUnder(secret).issue({ name }, author)).key.id
  await registryUnder(previous).rotate(ids['old'], 60, author)

  const [secrets, { stdout: table }] = await Promise.all([
    run(t, 'cli/key-secrets.ts', { env, args: ['--json'] }).ended, run(t, 'cli/key-secrets.ts', { env }).ended
  ])
  t.equal(secrets.code, 0)
  t.strictSame(new Set(JSON.parse(secrets.stdout) as unknown[]), new Set([
    { generation: generationOf(current), secret: 'CLIENT_SECRET', source: 'managed', live_tokens: 1, last_used_at: null },
    { generation: generationOf(previous), secret: 'CLIENT_SECRET_PREVIOUS', source: 'managed', live_tokens: 2, last_used_at: null },
    { generation: generationOf(lost), secret: null, source: 'managed', live_tokens: 1, last_used_at: null }
  ]))
  t.match(table, new RegExp(`^${generationOf(previous)} +CLIENT_SECRET_PREVIOUS +managed +2 +never$`, 'm'))
  t.match(table, new RegExp(`^${generationOf(lost)} +not configured +managed +1 +never$`, 'm'))

  const warnings = (stdout: string): unknown[] => logLines(stdout).filter(line => 'generations' in line)
  const service = await start(t, { ...env, LOG_LEVEL: 'info' })
  t.match(warnings(service.output().stdout), [{ level: 40, generations: [generationOf(lost)], msg: /secrets that are not configured/ }])

  await registryUnder(current).revoke(ids['lost'], null, author)
  const after = await start(t, { ...env, LOG_LEVEL: 'info' })
  t.same(warnings(after.output().stdout), [], 'no good token depends on it any more')
  for (const secret of [current, previous, lost]) t.notMatch(secrets.stdout + table + service.output().stdout, secret)
})

test('after every command and use, the database holds neither a token, nor a key_id, nor a secret', async t => {
  const previous = newSecret()
  const { service, cli, get } = await live(t, { CLIENT_SECRET_PREVIOUS: previous })
  const underPrevious = issueClientKey(createTokenSealer(previous))
  const credentials = [
    service.secret, previous, service.key.keyId, service.key.keyAccessToken, underPrevious.keyId, underPrevious.keyAccessToken
  ]
  const keep = ({ key_id: keyId, key_access_token: token }: Issued): string => {
    credentials.push(keyId, token)
    return token
  }
  const token = keep(JSON.parse((await cli('key-issue', ['--name', 'billing-sync', '--json'])).stdout) as Issued)
  const second = keep(JSON.parse((await cli('key-rotate', ['-', '--json'], token)).stdout) as Issued)
  t.same([await get(token), await get(second), await get(service.key.keyAccessToken)], [200, 200, 200])
  await fetch(`http://127.0.0.1:${service.port}/apps`, { headers: { authorization: `Bearer ${second}`, 'user-agent': `x ${second}` } })
  await get(underPrevious.keyAccessToken)
  const disabled = await cli('key-disable', ['billing-sync'])
  const enabled = await cli('key-enable', ['billing-sync'])
  const looked = await Promise.all([
    cli('key-show', ['billing-sync']), cli('key-secrets'), cli('key-inspect', [], underPrevious.keyAccessToken),
    cli('key-change', ['billing-sync', '--description', `is ${token}`])
  ])
  const ended = [disabled, enabled, ...looked, await cli('key-revoke', ['-', '--reason', 'over'], second)]
  t.same(ended.map(({ code }) => code), [0, 0, 0, 0, 1, 2, 0])
  const printed = ended.map(({ stdout, stderr }) => stdout + stderr).join('')
  t.notOk(credentials.some(credential => printed.includes(credential)), 'nor is one printed')

  const path = service.env['DATABASE_URL'].slice('file:'.length)
  const bytes = (): Buffer => Buffer.concat(['', '-wal', '-shm'].map(end => path + end).filter(file => existsSync(file)).map(file => readFileSync(file)))
  const running = bytes()
  await stop(service)
  const raw = credentials.filter(credential => /^[0-9a-f]+$/.test(credential)).map(credential => Buffer.from(credential, 'hex'))
  for (const kept of [running, bytes()]) {
    t.ok(kept.includes('billing-sync') && kept.includes(digestOf(credentials[6])), 'what is kept is found')
    t.notOk([...credentials, ...raw].some(credential => kept.includes(credential)))
  }
})
