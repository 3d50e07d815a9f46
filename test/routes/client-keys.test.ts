import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { digestOf, generationOf } from '../../domain/keys/token/token.ts'
import { at, listening, newSecret, onlyOnSqlite, raw, world } from '../helper.ts'
import type { Reply, World } from '../helper.ts'
import { signIn } from './user.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const issue = async ({ call }: World, body: object, headers?: Record<string, string>): Promise<Reply['json']> => {
  const reply = await call('POST', '/client_keys', body, headers)
  if (reply.status !== 201) throw new Error(`${reply.status} ${reply.text}`)
  return reply.json
}

/** Sends requests with a token other than the world's. */
const as =
  (made: World, token: string): World['call'] =>
  (method, url, body, headers = {}) =>
    made.call(method, url, body, { ...headers, authorization: `Bearer ${token}` })

const statusOf = async (made: World, token: string, url = '/client_keys/me'): Promise<number> =>
  (await as(made, token)('GET', url)).status

const environmentId = async (made: World): Promise<string> => (await made.call('GET', '/client_keys/me')).json.id

test('a new key shows its secrets once, is active immediately, and is unscoped by default', async t => {
  const made = await world(t)
  const reply = await made.call('POST', '/client_keys', { name: 'billing-sync' })
  t.equal(reply.status, 201)
  t.equal(reply.headers['cache-control'], 'no-store')
  t.equal(reply.headers['location'], `/client_keys/${reply.json.id}`)
  const { key_id: keyId, key_access_token: token, ...key } = reply.json
  t.match(keyId, /^[0-9a-f]{32}$/)
  t.match(token, /^tck_\w{72}$/)
  t.match(key, {
    id: UUID_V7,
    name: 'billing-sync',
    description: null,
    source: 'managed',
    scopes: ['*'],
    expires_at: null,
    enabled: true,
    allowed_ips: [],
    rate_limit: null,
    metadata: {},
    created_at: /Z$/,
    created_by: { kind: 'client_key', id: /^env_/, name: /^env_/ },
    revoked_at: null,
    revoked_reason: null,
    last_used_at: null
  })
  t.equal((await as(made, token)('GET', '/apps')).json.length, 24)
  t.same((await as(made, token)('GET', '/client_keys/me')).json, {
    id: key.id,
    name: key.name,
    owner: null,
    source: 'managed',
    scopes: ['*'],
    expires_at: null,
    enabled: true,
    allowed_ips: [],
    rate_limit: null
  })
  await made.fastify.keyUsage.flush()
  const later = await made.call('GET', `/client_keys/${key.id}`)
  t.notMatch(later.text, token)
  t.notMatch(later.text, keyId)
  t.match(later.json.tokens, [
    {
      hint: token.slice(-4),
      generation: /^[0-9a-f]{8}$/,
      created_at: key.created_at,
      expires_at: null,
      revoked_at: null,
      use_count: 2,
      last_used_ip: '127.0.0.1',
      last_used_agent: 'lightMyRequest'
    }
  ])
})

test('every part of a policy is stored as it was sent', async t => {
  const made = await world(t)
  const policy = {
    description: 'Copies invoices',
    scopes: ['client_keys:read', 'apps:read', 'apps:read'],
    expires_at: '2099-01-31T13:00:00+01:00',
    allowed_ips: ['10.0.0.0/8', '::1', '::1'],
    rate_limit: { max: 100, window_seconds: 60 },
    metadata: { team: { b: 1, a: [null] } },
    enabled: false
  }
  const key = await issue(made, { name: 'n', ...policy })
  t.match(key, {
    ...policy,
    scopes: ['apps:read', 'client_keys:read'],
    expires_at: '2099-01-31T12:00:00.000Z',
    allowed_ips: ['10.0.0.0/8', '::1']
  })
  t.same((await issue(made, { name: 'all', scopes: ['apps:read', '*'] })).scopes, ['*'])
})

test('all active tokens remain listed after a rotation is retried many times', async t => {
  const made = await world(t)
  const key = await issue(made, { name: 'patient' })
  const rotate = async () =>
    await made.call('POST', `/client_keys/${key.id}/rotate`, { grace_seconds: 3600 }, { 'idempotency-key': 'again' })
  for (let i = 0; i < 120; i++) t.equal((await rotate()).status, 200)
  const { tokens } = (await made.call('GET', `/client_keys/${key.id}`)).json as {
    tokens: { hint: string; revoked_at: string | null }[]
  }
  t.ok(tokens.length <= 100)
  const good = tokens.filter(token => token.revoked_at === null)
  t.equal(good.length, 2, 'the first token, and the one from the last response')
  t.ok(good.some(({ hint }) => key.key_access_token.endsWith(hint)))
})

test('invalid fields are reported, and nothing is stored', async t => {
  const made = await world(t)
  const { keyAccessToken } = made.key
  const cases: [body: unknown, errors: RegExp[]][] = [
    [{}, [/^name is required$/]],
    [[], [/^the body must be an object$/]],
    [{ name: '' }, [/^name must have at least 1 character$/, /^name must be well-formed text/]],
    [{ name: 'x'.repeat(101) }, [/at most 100 characters/]],
    [{ name: 'a\nb' }, [/visible/]],
    [{ name: 7 }, [/^name must be a string$/]],
    [{ name: 'x', scopes: [] }, [/scopes must have at least 1 entry/]],
    [{ name: 'x', scopes: ['apps:delete'] }, [/scopes.0 must be apps:read or apps:write/]],
    [{ name: 'x', scopes: 'apps:read' }, [/scopes must be an array/]],
    [{ name: 'x', expires_at: 'tomorrow' }, [/expires_at must be a timestamp/]],
    [{ name: 'x', expires_at: '2099-13-31T12:00:00Z' }, [/expires_at must be a date that exists/]],
    [{ name: 'x', expires_at: '2099-02-29T12:00:00Z' }, [/expires_at must be a date that exists/]],
    [{ name: 'x', expires_at: '9999-12-31T23:59:59-12:00' }, [/expires_at is out of range/]],
    [{ name: 'env_0123456789abcdef' }, [/name must not look like the id/]],
    [{ name: '-' }, [/name must not look like the id/]],
    [{ name: 'x', expires_at: '2020-01-01T00:00:00Z' }, [/expires_at must be in the future/]],
    [
      { name: 'x', allowed_ips: ['10.0.0.0/8', '10.0.0.0/40', 'x', '10.0.0.1/8'] },
      [
        /allowed_ips.1 is not an IP address/,
        /allowed_ips.2 is no/,
        /^allowed_ips.3 has host bits: write 10\.0\.0\.0\/8 for the range, or 10\.0\.0\.1 for the single address$/
      ]
    ],
    [{ name: 'x', allowed_ips: Array.from({ length: 101 }, () => '::1') }, [/at most 100 entries/]],
    [
      { name: 'x', rate_limit: { max: 0, window_seconds: 100_000 } },
      [/rate_limit.max must be at least 1/, /window_seconds must be at most 86400/]
    ],
    [{ name: 'x', rate_limit: { max: 1 } }, [/rate_limit.window_seconds is required/]],
    [
      { name: 'x', rate_limit: { max: 1, window_seconds: 1, burst: 2 } },
      [/^rate_limit.burst is not a known field; known fields are max, window_seconds$/]
    ],
    [{ name: 'x', metadata: [] }, [/metadata must be an object/]],
    [{ name: 'x', metadata: { a: 'x'.repeat(4090) } }, [/metadata must have at most 4096 bytes/]],
    [
      { name: 'x', allowed_ip: ['::1'], expiry: 1, 'a b': 1 },
      [
        /^allowed_ip is not a known field; known fields are name, description, owner, scopes/,
        /^expiry is not a known field/,
        /^the request contains an unknown field; known fields are name, description, owner, scopes/
      ]
    ],
    [
      { name: `k_${made.key.keyId}`, metadata: { note: `key:\n${made.key.keyId}` } },
      [/name must not contain a token/, /metadata must not contain/]
    ],
    [{ name: 'x', metadata: { list: [{ [`\b${made.key.keyId}`]: 1 }] } }, [/metadata must not contain/]],
    [{ name: 'x', [keyAccessToken]: 1 }, [/^the request contains an unknown field/]],
    [
      { name: keyAccessToken, description: `x ${keyAccessToken}`, metadata: { keyAccessToken } },
      [/name must not contain a token/, /description must not/, /metadata must not/]
    ],
    [
      { name: keyAccessToken.slice(0, -6), description: made.key.keyId, metadata: { id: made.key.keyId } },
      [/name must not contain a token/, /description must not/, /metadata must not/]
    ]
  ]
  for (const [body, errors] of cases) {
    const reply = await made.call('POST', '/client_keys', body)
    t.equal(reply.status, 422, reply.text)
    t.match(reply.json.errors, errors)
    t.equal(reply.json.errors.length, errors.length)
    t.notMatch(reply.text, keyAccessToken)
  }
  t.equal(
    (
      await made.call('POST', '/client_keys', '{"name":"x","metadata":{"a":1e999}}', {
        'content-type': 'application/json'
      })
    ).status,
    422
  )
  for (const depth of [200, 50_000]) {
    const nested = `{"name":"x","metadata":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`
    t.match(await made.call('POST', '/client_keys', nested, { 'content-type': 'application/json' }), {
      status: 422,
      json: { errors: [/metadata must not be nested/] }
    })
  }
  t.equal((await made.call('GET', '/client_keys')).json.length, 1, 'the environment key')
  const patched = await issue(made, { name: 'patched' })
  t.equal((await made.call('PATCH', `/client_keys/${patched.id}`, { scope: ['apps:read'] })).status, 422)
  t.equal((await made.call('POST', `/client_keys/${patched.id}/revoke`, { reason: keyAccessToken })).status, 422)
  t.equal(
    (await made.call('POST', `/client_keys/${patched.id}/rotate`, { grace_seconds: 30 * 86_400 + 1 })).status,
    422
  )
  t.equal((await made.call('POST', `/client_keys/${patched.id}/rotate`, { grace_seconds: -1 })).status, 422)
})

test('a name is unique among keys that are not revoked', async t => {
  const made = await world(t)
  const first = await issue(made, { name: 'one' })
  t.match(await made.call('POST', '/client_keys', { name: 'one' }), {
    status: 409,
    json: { code: 'CLIENT_KEY_NAME_TAKEN' }
  })
  const second = await issue(made, { name: 'two' })
  t.equal((await made.call('PATCH', `/client_keys/${second.id}`, { name: 'one' })).status, 409)
  t.equal((await made.call('POST', `/client_keys/${first.id}/revoke`, {})).status, 200)
  t.equal((await made.call('PATCH', `/client_keys/${second.id}`, { name: 'one' })).json.name, 'one')
  await Promise.all(Array.from({ length: 10 }, () => made.call('POST', '/client_keys', { name: 'race' })))
  t.equal((await made.call('GET', '/client_keys?name=race')).json.length, 1)
})

test('a change takes effect in the next request', async t => {
  const made = await world(t)
  const { id, key_access_token: token } = await issue(made, { name: 'k' })
  const change = async (body: object): Promise<void> => {
    t.equal((await made.call('PATCH', `/client_keys/${id}`, body)).status, 200)
  }
  t.equal(await statusOf(made, token), 200)
  await change({ enabled: false })
  t.equal(await statusOf(made, token), 401)
  await change({ enabled: true })
  t.equal(await statusOf(made, token), 200)
  await change({ scopes: ['apps:write'] })
  t.equal(await statusOf(made, token, '/apps'), 403)
  await change({ scopes: ['apps:read'] })
  t.equal(await statusOf(made, token, '/apps'), 200)
  await change({ expires_at: '2020-01-01T00:00:00Z' })
  t.equal(await statusOf(made, token), 401)
  await change({ expires_at: null, allowed_ips: ['192.0.2.0/24'] })
  t.equal(await statusOf(made, token), 403)
  await change({ allowed_ips: [], rate_limit: { max: 1, window_seconds: 3600 } })
  t.equal(await statusOf(made, token), 200)
  t.equal(await statusOf(made, token), 429)
  await change({ rate_limit: { max: 3, window_seconds: 3600 } })
  t.equal(await statusOf(made, token), 200, 'the wider policy applies')
  await change({ rate_limit: null, description: null, name: 'renamed', metadata: { a: 1 } })
  t.equal(await statusOf(made, token), 200)
  const before = (await made.call('GET', '/audits')).json[0].sequence
  await change({ name: 'renamed', metadata: { a: 1 } })
  t.equal((await made.call('GET', '/audits')).json[0].sequence, before, 'an update without effect has no audit entry')
  t.equal((await made.call('PATCH', '/client_keys/nope', { enabled: false })).status, 404)
})

const withoutReceipt = ({ json }: Reply): object => ({ ...json, receipt: undefined })

test('a revocation is immediate and permanent, and may be repeated', async t => {
  const made = await world(t)
  const { id, name, key_access_token: token } = await issue(made, { name: 'k' })
  t.equal(await statusOf(made, token), 200)
  const first = await made.call('POST', `/client_keys/${id}/revoke`, { reason: 'a leak' })
  t.match(first, { status: 200, json: { revoked_at: /Z$/, revoked_reason: 'a leak' } })
  t.equal(await statusOf(made, token), 401)
  const again = await made.call('POST', `/client_keys/${id}/revoke`, { reason: 'another' })
  t.same(withoutReceipt(again), withoutReceipt(first))
  t.ok(again.json.receipt.epoch > first.json.receipt.epoch)
  for (const [method, url, body] of [
    ['PATCH', '', { enabled: true }],
    ['POST', '/rotate', {}]
  ] as const) {
    t.match(await made.call(method, `/client_keys/${id}${url}`, body), {
      status: 409,
      json: { code: 'CLIENT_KEY_REVOKED' }
    })
  }
  t.equal((await made.call('GET', `/client_keys/${id}`)).json.name, name)
  t.equal((await made.call('POST', '/client_keys/nope/revoke', {})).status, 404)
  t.equal((await made.call('POST', '/client_keys/nope/rotate', {})).status, 404)
  t.equal((await made.call('GET', '/client_keys/nope')).status, 404)
  t.equal((await made.call('GET', '/client_keys/nope/usage')).status, 404)
})

test('rotate and revoke do not require a body, with or without a content type', async t => {
  const made = await world(t)
  const json = { 'content-type': 'application/json' }
  const bodies: [body: string | undefined, headers: Record<string, string>][] = [
    [undefined, {}],
    [undefined, json],
    ['', json],
    ['', { ...json, 'content-length': '0' }],
    ['', { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' }],
    ['{}', json],
    ['null', json]
  ]
  for (const [i, [body, headers]] of bodies.entries()) {
    const { id, key_access_token: first } = await issue(made, { name: `k${i}` })
    const rotated = await made.call('POST', `/client_keys/${id}/rotate`, body, headers)
    t.equal(rotated.status, 200, `${JSON.stringify(headers)} ${rotated.text}`)
    t.match(rotated.json.older_tokens, [{ expires_at: /Z$/ }], 'the grace period is a day')
    t.same([await statusOf(made, first), await statusOf(made, rotated.json.key_access_token)], [200, 200])
    t.match(await made.call('POST', `/client_keys/${id}/revoke`, body, headers), {
      status: 200,
      json: { revoked_at: /Z$/, revoked_reason: null }
    })
    t.equal(await statusOf(made, first), 401)
  }
  const { id } = await issue(made, { name: 'k' })
  const url = `/client_keys/${id}/rotate`
  const retry = { 'idempotency-key': 'a' }
  t.equal((await made.call('POST', url, undefined, retry)).status, 200)
  t.equal((await made.call('POST', url, {}, retry)).status, 200, 'the request is the same')
  for (const [body, headers, status] of [
    ['[]', json, 422],
    ['{', json, 400],
    [' ', json, 400],
    ['x', {}, 415],
    ['a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['{"grace":1}', json, 422]
  ] as [string, Record<string, string>, number][]) {
    t.equal((await made.call('POST', url, body, headers)).status, status, body)
  }
  t.equal((await made.call('POST', '/client_keys')).status, 422, 'a body with required fields must be sent')
})

test('over a socket, a rotation with an empty body succeeds, with or without headers that describe the body', async t => {
  const { fastify, key, call } = await world(t)
  const { json } = await call('POST', '/client_keys', { name: 'k' })
  const port = await listening(fastify)
  const head = `Host: x\r\nConnection: close\r\nAuthorization: Bearer ${key.keyAccessToken}\r\n`
  for (const more of [
    '\r\n',
    'Content-Length: 0\r\n\r\n',
    'Content-Type: application/json\r\n\r\n',
    'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
  ]) {
    t.match(
      await raw(port, `POST /client_keys/${json.id}/rotate HTTP/1.1\r\n${head}${more}`),
      /^HTTP\/1\.1 200 OK/,
      more
    )
  }
})

test("a rotated key's older tokens expire exactly at the end of the grace period", onlyOnSqlite, async t => {
  const made = await world(t)
  const { id, key_access_token: first } = await issue(made, { name: 'k' })
  const { json } = await made.call('POST', `/client_keys/${id}/rotate`, { grace_seconds: 60 })
  const [{ expires_at: deadline }] = json.older_tokens
  let now = Date.parse(deadline) - 1
  const clock = t.intercept(Date, 'now', { value: () => now })
  t.equal(await statusOf(made, first), 200)
  now++
  t.equal(await statusOf(made, first), 401)
  t.equal(await statusOf(made, json.key_access_token), 200)
  clock.restore()
})

test('a rotation adds a token, and the older tokens expire', async t => {
  const made = await world(t)
  const { id, key_access_token: first } = await issue(made, { name: 'k' })
  t.equal(await statusOf(made, first), 200)
  await made.fastify.keyUsage.flush()
  const rotated = await made.call('POST', `/client_keys/${id}/rotate`, { grace_seconds: 60 })
  t.equal(rotated.status, 200)
  t.equal(rotated.headers['cache-control'], 'no-store')
  const {
    key_access_token: second,
    older_tokens: [older, ...none]
  } = rotated.json
  t.same(none, [])
  t.match(older, {
    hint: first.slice(-4),
    last_used_ip: '127.0.0.1',
    last_used_at: /Z$/,
    use_count: 1,
    expires_at: /Z$/
  })
  t.equal(await statusOf(made, first), 200)
  t.equal(await statusOf(made, second), 200)

  t.ok(Date.parse(older.expires_at) > Date.now())

  const third = (await made.call('POST', `/client_keys/${id}/rotate`, { grace_seconds: 0 })).json.key_access_token
  t.same([await statusOf(made, first), await statusOf(made, second), await statusOf(made, third)], [401, 401, 200])
  const again = await made.call('POST', `/client_keys/${id}/rotate`, {})
  const lifetimes = again.json.older_tokens.map(({ expires_at: at }: { expires_at: string }) =>
    Math.round((Date.parse(at) - Date.now()) / 3_600_000)
  )
  t.same(lifetimes, [24, 0, 0], 'the grace period is a day by default, and does not extend an expiry')
  t.equal((await made.call('GET', `/client_keys/${id}`)).json.tokens.length, 4)
})

test('a key cannot give permissions that it lacks, or change a key with more permissions', async t => {
  const made = await world(t)
  const powers = ['client_keys:read', 'client_keys:write', 'apps:read']
  const limits = {
    scopes: powers,
    expires_at: '2090-01-01T00:00:00Z',
    allowed_ips: ['127.0.0.0/8'],
    rate_limit: { max: 1000, window_seconds: 60 }
  }
  const broad = await issue(made, { name: 'broad' })
  const { key_access_token: token, id } = await issue(made, { name: 'limited', ...limits })
  const call = as(made, token)
  const inside = await call('POST', '/client_keys', {
    name: 'inside',
    ...limits,
    scopes: ['apps:read'],
    allowed_ips: ['127.0.0.1']
  })
  t.equal(inside.status, 201)
  for (const beyond of [
    { scopes: ['*'] },
    { scopes: ['apps:write'] },
    { expires_at: null },
    { expires_at: '2091-01-01T00:00:00Z' },
    { allowed_ips: [] },
    { allowed_ips: ['::1'] },
    { rate_limit: null },
    { rate_limit: { max: 2000, window_seconds: 60 } }
  ]) {
    const issued = await call('POST', '/client_keys', { name: 'outside', ...limits, ...beyond })
    t.match(issued, { status: 403, json: { code: 'BEYOND_CEILING', errors: [String] } }, JSON.stringify(beyond))
    t.match(
      await call('PATCH', `/client_keys/${inside.json.id}`, beyond),
      { status: 403, json: { code: 'BEYOND_CEILING' } },
      JSON.stringify(beyond)
    )
    t.match(await call('PATCH', `/client_keys/${id}`, beyond), { status: 403 }, 'a key cannot extend its own expiry')
  }
  t.equal(
    (await call('PATCH', `/client_keys/${inside.json.id}`, { description: 'mine', expires_at: '2080-01-01T00:00:00Z' }))
      .status,
    200
  )
  t.equal((await call('POST', `/client_keys/${id}/rotate`, {})).status, 200)
  for (const target of [broad.id, await environmentId(made)]) {
    t.equal((await call('GET', `/client_keys/${target}`)).status, 200, 'reading the key is allowed')
    t.equal((await call('POST', `/client_keys/${target}/revoke`, {})).status, 403)
  }
  t.equal((await call('PATCH', `/client_keys/${broad.id}`, limits)).status, 403, 'the key cannot even be restricted')
  t.equal((await call('POST', `/client_keys/${broad.id}/rotate`, {})).status, 403)
  t.equal(await statusOf(made, broad.key_access_token), 200)
  t.equal((await made.call('GET', '/client_keys?name=outside')).json.length, 0)
})

test('a replaced token cannot be used to create a token that expires later', async t => {
  const made = await world(t)
  const { id, key_access_token: old } = await issue(made, { name: 'k' })
  const { key_access_token: fresh } = (await made.call('POST', `/client_keys/${id}/rotate`, { grace_seconds: 60 })).json
  const call = as(made, old)
  t.match(await call('POST', `/client_keys/${id}/rotate`, { grace_seconds: 0 }), {
    status: 403,
    json: { code: 'BEYOND_CEILING' }
  })
  t.equal((await call('POST', '/client_keys', { name: 'successor' })).status, 403)
  t.equal(
    (await call('POST', '/client_keys', { name: 'successor', expires_at: new Date(Date.now() + 30_000).toISOString() }))
      .status,
    201
  )
  t.equal((await as(made, fresh)('POST', `/client_keys/${id}/rotate`, { grace_seconds: 0 })).status, 200)
})

test('a key can have at most a hundred active tokens, and at most a hundred are stored', async t => {
  const made = await world(t)
  const { id } = await issue(made, { name: 'k' })
  for (let i = 0; i < 99; i++) t.equal((await made.call('POST', `/client_keys/${id}/rotate`, {})).status, 200)
  t.match(await made.call('POST', `/client_keys/${id}/rotate`, {}), { status: 409, json: { code: 'TOO_MANY_TOKENS' } })
  const { json } = await made.call('POST', `/client_keys/${id}/rotate`, { grace_seconds: 0 })
  t.equal(json.older_tokens.length, 99)
  t.equal((await made.call('GET', `/client_keys/${id}`)).json.tokens.length, 100)
  t.equal(await statusOf(made, json.key_access_token), 200)
})

test('a retry returns the same key with a new token, and revokes the token in the lost response', async t => {
  const made = await world(t)
  const headers = { 'idempotency-key': '2f1c8f1f-0a11' }
  const first = await issue(made, { name: 'k', metadata: { a: 1, b: 2 } }, headers)
  const second = await issue(made, { metadata: { b: 2, a: 1 }, name: 'k' }, headers)
  t.equal(second.id, first.id)
  t.not(second.key_access_token, first.key_access_token)
  t.same([await statusOf(made, first.key_access_token), await statusOf(made, second.key_access_token)], [401, 200])
  t.match(await made.call('POST', '/client_keys', { name: 'other' }, headers), {
    status: 422,
    json: { code: 'IDEMPOTENCY_KEY_REUSED' }
  })
  t.match(await made.call('POST', `/client_keys/${first.id}/rotate`, {}, headers), {
    status: 422,
    json: { code: 'IDEMPOTENCY_KEY_REUSED' }
  })

  const rotate = async (): Promise<Reply> =>
    await made.call(
      'POST',
      `/client_keys/${first.id}/rotate`,
      { grace_seconds: 3600 },
      { 'idempotency-key': 'rotate-1' }
    )
  const [once, twice] = [await rotate(), await rotate()]
  t.same([once.status, twice.status], [200, 200])
  t.same(
    await Promise.all([second, once.json, twice.json].map(({ key_access_token: token }) => statusOf(made, token))),
    [200, 401, 200]
  )
  t.equal(
    twice.json.older_tokens.find(({ hint }: { hint: string }) => hint === second.key_access_token.slice(-4)).expires_at,
    once.json.older_tokens[0].expires_at
  )

  const other = await issue(made, { name: 'other' })
  const another = await as(made, other.key_access_token)('POST', '/client_keys', { name: 'another' }, headers)
  t.equal(another.status, 201, 'each client key has separate idempotency keys')
  for (const bad of ['', 'a b', 'x'.repeat(256), 'ä']) {
    t.equal((await made.call('POST', '/client_keys', { name: 'z' }, { 'idempotency-key': bad })).status, 422, bad)
  }

  await made.call('POST', `/client_keys/${first.id}/revoke`, {})
  t.equal(
    (await made.call('POST', '/client_keys', { name: 'k', metadata: { a: 1, b: 2 } }, headers)).status,
    409,
    'the key was revoked in the meantime'
  )

  const race = await Promise.all(
    Array.from({ length: 8 }, () => issue(made, { name: 'race' }, { 'idempotency-key': 'race' }))
  )
  t.equal(new Set(race.map(({ id }) => id)).size, 1)
  const statuses = await Promise.all(race.map(({ key_access_token: token }) => statusOf(made, token)))
  t.same(statuses.sort(), [200, 401, 401, 401, 401, 401, 401, 401])
})

test('an Idempotency-Key can be reused after ten minutes', onlyOnSqlite, async t => {
  const made = await world(t)
  const headers = { 'idempotency-key': 'word' }
  await issue(made, { name: 'k' }, headers)
  const RealDate = Date
  const later = RealDate.now() + 10 * 60_000
  const clock = t.intercept(globalThis, 'Date', {
    value: class extends RealDate {
      constructor(...args: [string] | []) {
        if (args.length === 0) super(later)
        else super(...args)
      }
      static override now() {
        return later
      }
    }
  })
  const reply = await made.call('POST', '/client_keys', { name: 'k' }, headers)
  clock.restore()
  t.match(reply, { status: 409, json: { code: 'CLIENT_KEY_NAME_TAKEN' } })
})

test('keys are listed by page and by filter, with environment keys last', async t => {
  const made = await world(t)
  const names = Array.from({ length: 7 }, (_, i) => `sync-${i}`)
  for (const name of names) await issue(made, { name })
  const odd = await issue(made, {
    name: 'Sync% odd',
    scopes: ['apps:read'],
    expires_at: '2050-01-01T00:00:00Z',
    enabled: false
  })
  const gone = await issue(made, { name: 'gone', scopes: ['audits:read'] })
  await made.call('POST', `/client_keys/${gone.id}/revoke`, {})
  const own = await environmentId(made)

  const pages: string[][] = []
  for (let url: string | undefined = '/client_keys?limit=4'; url !== undefined;) {
    const { json, headers } = await made.call('GET', url)
    pages.push(json.map(({ name }: { name: string }) => name))
    url = /^<(.*)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1]
  }
  t.same(pages, [names.slice(0, 4), [...names.slice(4), odd.name], ['gone', own]])

  const find = async (query: string): Promise<string[]> =>
    (await made.call('GET', `/client_keys?${query}`)).json.map(({ name }: { name: string }) => name)
  t.same(await find('revoked=true'), ['gone'])
  t.same(await find('revoked=false&limit=1000'), [...names, odd.name, own])
  t.same(await find('enabled=false'), [odd.name])
  t.same(await find('enabled=true&name=sync-3'), ['sync-3'])
  t.same(await find('name=Sync%25'), [odd.name])
  t.same(await find('name=env_'), [own])
  t.same(await find('expires_before=2050-01-01T00:00:00.001Z'), [odd.name])
  t.same(await find('expires_before=2050-01-01T00:00:00Z'), [])
  t.same(await find('scope=apps:read&name=S'), [odd.name])
  t.same(await find('scope=apps:read'), [...names, odd.name, own])
  t.same(await find('scope=*'), [...names, own])
  await made.fastify.keyUsage.flush()
  const now = new Date(Date.now() + 1000).toISOString()
  t.same(await find(`unused_since=${now}&revoked=false`), [...names, odd.name, own])
  t.same(await find('unused_since=2026-01-01T00:00:00Z'), [], 'keys that were created after that time are left out')
  for (const bad of [
    'limit=0',
    'limit=1001',
    'limit=x',
    'revokd=true',
    'scope=x',
    'expires_before=tomorrow',
    'unused_since=2026-02-32T00:00:00Z',
    'generation=0123456',
    'generation=0123456G',
    'enabled=maybe'
  ]) {
    t.equal((await made.call('GET', `/client_keys?${bad}`)).status, 422, bad)
  }
  t.match((await made.call('GET', '/client_keys?generation=x')).json, {
    detail: 'generation must be 8 hexadecimal digits, as printed by npm run key:secrets'
  })
})

test('keys can be found by the secret that sealed one of their active tokens', onlyOnSqlite, async t => {
  const made = await world(t, { CLIENT_SECRET_PREVIOUS: newSecret() })
  const [one, expired] = [await issue(made, { name: 'one' }), await issue(made, { name: 'expired', expires_at: '10d' })]
  const rotated = await issue(made, { name: 'rotated' })
  await made.call('PATCH', `/client_keys/${expired.id}`, { expires_at: '2020-01-01' })
  const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
  const seal = db.prepare(
    'update client_key_tokens set generation = ? where client_key = (select row from client_keys where id = ?)'
  )
  for (const { id } of [expired, rotated]) seal.run('0000000a', id)
  db.close()
  const find = async (generation: string): Promise<string[]> =>
    (await made.call('GET', `/client_keys?generation=${generation}`)).json.map(({ name }: { name: string }) => name)
  t.same(await find('0000000a'), ['rotated'], 'an expired key has no active token')
  await made.call('POST', `/client_keys/${rotated.id}/rotate`, {})
  t.same(await find('0000000a'), ['rotated'], 'during the grace period, both secrets find the key')
  t.same(await find(generationOf(made.secret)), ['one', 'rotated'])
  await made.call('POST', `/client_keys/${rotated.id}/rotate`, { grace_seconds: 0 })
  t.same(await find('0000000a'), [])
  await made.call('POST', `/client_keys/${one.id}/revoke`, {})
  t.same(await find(generationOf(made.secret)), ['rotated'], 'the environment key is not found')
})

test(
  'a key is unused since a time if it was created before that time and has not been used after it',
  onlyOnSqlite,
  async t => {
    const made = await world(t)
    const young = await issue(made, { name: 'young' })
    const [never, used, idle] = [
      await issue(made, { name: 'never' }),
      await issue(made, { name: 'used' }),
      await issue(made, { name: 'idle' })
    ]
    const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
    const age = db.prepare('update client_keys set created_at = ?, last_used_at = ? where id = ?')
    const days = (count: number): string => new Date(Date.now() - count * 86_400_000).toISOString()
    age.run(days(100), null, never.id)
    age.run(days(100), days(89), used.id)
    age.run(days(100), days(91), idle.id)
    db.close()
    const find = async (query: string): Promise<string[]> =>
      (await made.call('GET', `/client_keys?${query}`)).json.map(({ name }: { name: string }) => name)
    t.same(await find('unused_since=90d'), ['never', 'idle'])
    t.same(await find(`unused_since=${days(90).slice(0, 10)}`), ['never', 'idle'], 'the time may be a day')
    t.same(await find('unused_since=95d'), ['never'])
    t.same(await find('unused_since=1y'), [], 'no key is that old')
    t.same(await find(`unused_since=${young.created_at}&name=young`), [], 'the key was created at that timestamp')
    const next = new Date(Date.parse(young.created_at) + 1).toISOString()
    t.same(await find(`unused_since=${next}&name=young`), ['young'])
  }
)

test('an expiry may be a duration or a day, and keys that expire soon can be found by a duration', async t => {
  const made = await world(t)
  const before = Date.now()
  const soon = await issue(made, { name: 'soon', expires_at: '10d' })
  t.ok(Date.parse(soon.expires_at) - before - 10 * 86_400_000 >= 0)
  t.ok(Date.parse(soon.expires_at) - Date.now() - 10 * 86_400_000 <= 0)
  t.equal((await issue(made, { name: 'day', expires_at: '2099-01-31' })).expires_at, '2099-01-31T00:00:00.000Z')
  const later = await made.call('PATCH', `/client_keys/${soon.id}`, { expires_at: '1y' })
  t.ok(Date.parse(later.json.expires_at) > Date.now() + 364 * 86_400_000)
  await made.call('PATCH', `/client_keys/${soon.id}`, { expires_at: '10d' })
  const find = async (query: string): Promise<string[]> =>
    (await made.call('GET', `/client_keys?${query}`)).json.map(({ name }: { name: string }) => name)
  t.same(await find('expires_before=14d'), ['soon'])
  t.same(await find('expires_before=9d'), [])
  t.same(await find('expires_before=2099-02-01'), ['soon', 'day'])
  t.match(await made.call('POST', '/client_keys', { name: 'expired', expires_at: '0s' }), {
    status: 422,
    json: { errors: ['expires_at must be in the future'] }
  })
  t.match(await made.call('GET', '/client_keys?expires_before=soon'), {
    status: 422,
    json: { errors: [/^expires_before must be a timestamp .* a day, .* or a duration, such as 12h, 90d or 1y$/] }
  })
})

test('environment keys are listed with their usage, and can be revoked but not changed', async t => {
  const made = await world(t)
  const other = await issue(made, { name: 'other' })
  const id = await environmentId(made)
  await made.fastify.keyUsage.flush()
  const shown = await made.call('GET', `/client_keys/${id}`)
  t.match(shown.json, {
    id,
    name: id,
    source: 'environment',
    scopes: ['*'],
    created_by: null,
    created_at: null,
    tokens: [{ hint: null, created_at: null, last_used_ip: '127.0.0.1' }]
  })
  // The last request is counted too, unless storing its use takes too long.
  t.ok([2, 3].includes(shown.json.tokens[0].use_count))
  for (const [method, url, body] of [
    ['PATCH', '', { enabled: false }],
    ['POST', '/rotate', {}]
  ] as const) {
    t.match(await made.call(method, `/client_keys/${id}${url}`, body), {
      status: 409,
      json: { code: 'ENVIRONMENT_KEY_FIXED', detail: /CLIENT_KEYS/ }
    })
  }
  const call = as(made, other.key_access_token)
  const revoked = await call('POST', `/client_keys/${id}/revoke`, { reason: 'a leak' })
  t.match(revoked, { status: 200, json: { id, revoked_at: /Z$/, revoked_reason: 'a leak' } })
  t.equal((await made.call('GET', '/apps')).status, 401)
  t.same(withoutReceipt(await call('POST', `/client_keys/${id}/revoke`, { reason: 'again' })), withoutReceipt(revoked))
  t.match((await call('GET', '/client_keys?revoked=true')).json, [{ id }])
  t.same(
    (await call('GET', '/audits?action=client_key.revoke')).json.map(({ subject }: { subject: object }) => subject),
    [{ type: 'client_key', id }]
  )
})

test("a key's usage shows scopes, refusals and addresses for each day", async t => {
  const made = await world(t)
  const { id, key_access_token: token } = await issue(made, { name: 'k', scopes: ['apps:read'] })
  for (let i = 0; i < 3; i++) await statusOf(made, token, '/apps/name_suggestion')
  await statusOf(made, token)
  await statusOf(made, token, '/audits')
  await as(made, token)('GET', '/apps', undefined, { 'sec-fetch-site': 'cross-site' })
  await made.call('PATCH', `/client_keys/${id}`, { enabled: false })
  await statusOf(made, token)
  await made.fastify.keyUsage.flush()
  const { json } = await made.call('GET', `/client_keys/${id}/usage`)
  t.same(json, {
    client_key_id: id,
    days: [
      {
        day: new Date().toISOString().slice(0, 10),
        requests: { 'apps:read': 3 },
        refusals: { cross_site: 1, insufficient_scope: 1, key_disabled: 1 },
        addresses: { '127.0.0.1': 4 }
      }
    ]
  })
  t.equal((await made.call('GET', `/client_keys/${id}/usage?days=91`)).status, 422)
  t.same(
    (await made.call('GET', `/client_keys/${(await issue(made, { name: 'unused' })).id}/usage?days=1`)).json.days,
    []
  )
})

test("any key may read its own usage, but not another key's", async t => {
  const made = await world(t)
  const { id, key_access_token: token } = await issue(made, { name: 'k', scopes: ['apps:read'] })
  const call = as(made, token)
  await call('GET', '/apps')
  await made.fastify.keyUsage.flush()
  const own = await call('GET', '/client_keys/me/usage')
  t.match(own, {
    status: 200,
    json: { client_key_id: id, days: [{ requests: { 'apps:read': 1 }, addresses: { '127.0.0.1': Number } }] }
  })
  t.equal((await call('GET', '/client_keys/me/usage?days=1')).json.days.length, 1)
  t.match(await call('GET', '/client_keys/me/usage?days=0'), {
    status: 422,
    json: { errors: ['days must be at least 1'] }
  })
  t.equal((await call('GET', `/client_keys/${id}/usage`)).status, 403, 'reading usage by id requires the scope')
  const environment = await made.call('GET', '/client_keys/me/usage')
  t.match(environment, { status: 200, json: { client_key_id: await environmentId(made), days: [{}] } })
  const ada = await signIn(made, 'ada')
  t.match(await ada('GET', '/client_keys/me/usage'), { status: 403, json: { code: 'CLIENT_KEY_REQUIRED' } })
})

test('a token in a User-Agent header is not stored', async t => {
  const made = await world(t)
  await made.call('GET', '/apps', undefined, { 'user-agent': `client/1 ${made.key.keyAccessToken}` })
  await made.fastify.keyUsage.flush()
  const { json } = await made.call('GET', `/client_keys/${await environmentId(made)}`)
  t.ok(json.tokens[0].last_used_agent)
  await made.call('GET', '/client_keys', undefined, {
    'user-agent': `client/1 ${made.key.keyAccessToken} ${'x'.repeat(300)}`
  })
  await made.fastify.keyUsage.flush()
  const tokens = await made.fastify.clientKeys.tokens(await environmentId(made))
  t.notMatch(at(tokens).lastUsedAgent, made.key.keyAccessToken)
  t.match(at(tokens).lastUsedAgent, /^client\/1 \[redacted\]/)
})

test('the database never contains a secret, a token or a key_id', onlyOnSqlite, async t => {
  const made = await world(t)
  const headers = { 'idempotency-key': 'idempotency-key-1', 'user-agent': `x ${made.key.keyAccessToken}` }
  const issued = await issue(made, { name: 'k' }, headers)
  const again = await issue(made, { name: 'k' }, headers)
  const rotated = (await made.call('POST', `/client_keys/${issued.id}/rotate`, {}, headers)).json
  await made.call('GET', '/apps', undefined, { authorization: `Bearer ${again.key_access_token}` })
  await made.fastify.keyUsage.flush()
  const folder = dirname(made.env['DATABASE_URL'].slice('file:'.length))
  const bytes = readdirSync(folder)
    .map(name => readFileSync(join(folder, name), 'latin1'))
    .join('')
  t.match(bytes, digestOf(issued.key_id), 'the search works: it finds the digest')
  const secrets = [made.secret, made.key.keyId, made.key.keyAccessToken, 'idempotency-key-1', newSecret()]
  for (const { key_id: keyId, key_access_token: token } of [issued, again, rotated]) {
    secrets.push(...[keyId, token].filter(Boolean))
  }
  t.equal(secrets.length, 9)
  for (const secret of secrets) t.notOk(bytes.includes(secret))
})

test('a list that is far too long causes only one error', async t => {
  const { call } = await world(t)
  for (const [field, body] of [
    ['scopes', { name: 'x', scopes: Array.from({ length: 400_000 }, () => 1) }],
    ['allowed_ips', { name: 'x', allowed_ips: Array.from({ length: 400_000 }, () => 1) }],
    ['the request', { name: 'x', ...Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, 1])) }],
    [
      'rate_limit',
      { name: 'x', rate_limit: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, 1])) }
    ]
  ] as const) {
    const { status, json, text } = await call('POST', '/client_keys', body)
    t.equal(status, 422)
    t.equal(json.errors.length, 1)
    t.ok(json.errors[0].startsWith(field), json.errors[0])
    t.ok(text.length < 1000)
  }
  t.equal(
    (await call('POST', '/client_keys', { name: 'x', scopes: Array.from({ length: 100 }, () => 'nope') })).json.errors
      .length,
    100
  )
})
