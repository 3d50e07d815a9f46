import { test } from 'tap'
import { at } from '../helper.ts'
import { start } from '../http/service.ts'
import { live, statusOf } from './live.ts'
import type { Issued } from './terminal.ts'

test('issuing, disabling or enabling a key at the command line takes effect in the next request', async t => {
  const { cli, get } = await live(t)
  const { key_access_token: token } = JSON.parse(
    (await cli('key:issue', ['--name', 'billing-sync', '--json'])).stdout
  ) as Issued
  t.equal(await get(token), 200)
  t.match(await cli('key:disable', ['billing-sync']), { code: 0, stderr: '' })
  t.equal(await get(token), 401)
  t.match(
    await cli('key:enable', ['-'], `${token}\n`),
    { code: 0, stderr: '' },
    'the token of a disabled key still identifies the key'
  )
  t.equal(await get(token), 200)
})

test('changes to scopes, addresses, expiry and rate limit at the command line take effect in the next request', async t => {
  const { cli, issue, get } = await live(t)
  const { id, key_access_token: token } = await issue('billing-sync')
  const change = async (...args: string[]): Promise<void> => {
    t.match(await cli('key:change', [id, ...args]), { code: 0, stderr: '' }, args.join(' '))
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

test('a rotation at the command line takes effect immediately, and without a grace period it revokes the old tokens', async t => {
  const { cli, issue, get } = await live(t)
  const { name, key_access_token: first } = await issue('billing-sync')
  t.equal(await get(first), 200)
  const { key_access_token: second } = JSON.parse((await cli('key:rotate', ['-', '--json'], first)).stdout) as Issued
  t.same([await get(first), await get(second)], [200, 200], 'during the grace period, both tokens are accepted')
  const { key_access_token: third } = JSON.parse(
    (await cli('key:rotate', [name, '--grace', '0s', '--json'])).stdout
  ) as Issued
  t.same([await get(first), await get(second), await get(third)], [401, 401, 200])
})

test('a key that is revoked by its token at the command line is refused in the next request, and its name can be reused', async t => {
  const { cli, issue, get } = await live(t)
  const old = await issue('billing-sync')
  t.equal(await get(old.key_access_token), 200)
  t.match(await cli('key:revoke', ['-'], `  ${old.key_access_token}\r\n`), { code: 0, stderr: '' })
  t.equal(await get(old.key_access_token), 401)
  const next = JSON.parse((await cli('key:issue', ['--name', 'billing-sync', '--json'])).stdout) as Issued
  t.not(next.id, old.id)
  t.same([await get(old.key_access_token), await get(next.key_access_token)], [401, 200])
  t.match(
    JSON.parse((await cli('key:show', ['billing-sync', '--json'])).stdout),
    { id: next.id, revoked_at: null },
    'the name refers to the key that has not been revoked'
  )
})

test('an environment key that is revoked at the command line is refused without restarting the service', async t => {
  const { service, cli, get } = await live(t)
  const {
    key: { keyAccessToken: token }
  } = service
  t.equal(await get(token), 200)
  const { id, source } = at(JSON.parse((await cli('key:list', ['--json'])).stdout) as { id: string; source: string }[])
  t.match({ id, source }, { id: /^env_[0-9a-f]{16}$/, source: 'environment' })
  const refused = await Promise.all([cli('key:rotate', [id]), cli('key:change', [id, '--scope', 'apps:read'])])
  for (const ended of refused) {
    t.match(ended, { code: 1, stdout: '', stderr: /can be revoked, but not changed or rotated/ })
  }
  t.equal(await get(token), 200)
  const entry = /^Remove its entry from CLIENT_KEYS as well: the key_id, or sha256:[0-9a-f]{64}\.$/m
  t.match(await cli('key:revoke', [id]), { code: 0, stdout: entry, stderr: '' })
  t.equal(await get(token), 401)
  const again = await cli('key:revoke', [id, '--json'])
  t.match(again, { code: 0, stderr: entry })
  t.match(JSON.parse(again.stdout), { id, receipt: {} })
  const [rest, all] = await Promise.all([cli('key:list'), cli('key:list', ['--all'])])
  t.match(rest, { code: 0, stdout: /^There are no client keys/ })
  t.match(all, { code: 0, stdout: new RegExp(`${id} +revoked`) })
})

test('a change made over HTTP in one server process takes effect in the next request to another', async t => {
  const { service, issue, get } = await live(t)
  const other = await start(t, {
    DATABASE_URL: service.env['DATABASE_URL'],
    CLIENT_SECRET: service.secret,
    CLIENT_KEYS: ''
  })
  const { id, key_access_token: token } = await issue('billing-sync')
  const change = async (method: string, path: string, body: object): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${service.port}/client_keys/${id}${path}`, {
      method,
      headers: { ...service.headers, 'content-type': 'application/json' },
      body: JSON.stringify(body)
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
