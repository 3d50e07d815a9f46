import { test } from 'tap'
import type { Test } from 'tap'
import { at, operator, world } from '../helper.ts'
import { FORM, introspector, withServices } from '../introspection.ts'
import { signIn } from './user.ts'

const INACTIVE = '{"active":false}'

const prepared = async (t: Test, env: Record<string, string> = {}) => {
  const made = await world(t, env)
  return { made, ...(await withServices(made)) }
}

test('an active token is described to a caller that may introspect all tokens', async t => {
  const { issue, all } = await prepared(t, { PUBLIC_URL: 'https://keys.example.com' })
  const { key, keyAccessToken } = await issue('shop', {
    scopes: ['apps:read', 'orders:*', 'ledger:read'],
    owner: 'customer:4711',
    metadata: { team: 'finance' },
    expiresAt: new Date('2040-01-01T00:00:00.900Z')
  })
  const reply = await all.ask(keyAccessToken)
  t.equal(reply.status, 200)
  t.equal(reply.headers['cache-control'], 'no-store')
  const { iat, ...rest } = reply.json
  t.same(rest, {
    active: true,
    client_id: key.id,
    sub: key.id,
    username: 'shop',
    scope: 'ledger:read orders:read orders:refunds:write',
    token_type: 'Bearer',
    exp: Date.parse('2040-01-01T00:00:00Z') / 1000,
    iss: 'https://keys.example.com',
    aud: ['https://ledger.example.com', 'https://orders.example.com'],
    owner: 'customer:4711',
    metadata: { team: 'finance' }
  })
  t.equal(iat, Math.floor(Number(key.createdAt) / 1000))
})

test('members without a value are left out', async t => {
  const { made, issue, all } = await prepared(t)
  const { key, keyAccessToken } = await issue('plain')
  const { iat, ...rest } = (await all.ask(keyAccessToken)).json
  t.type(iat, 'number')
  t.same(rest, {
    active: true,
    client_id: key.id,
    sub: key.id,
    username: 'plain',
    token_type: 'Bearer',
    metadata: {}
  })
  const ofEnvironment = (await all.ask(made.key.keyAccessToken)).json
  t.match(ofEnvironment, { active: true, client_id: /^env_/, metadata: {} })
  t.notOk('iat' in ofEnvironment)
})

test('a caller for one service sees only that service', async t => {
  const { issue, orders, ledger, caller } = await prepared(t)
  const both = (await issue('both', { scopes: ['orders:read', 'ledger:read'] })).keyAccessToken
  t.match((await orders.ask(both)).json, { scope: 'orders:read', aud: 'https://orders.example.com' })
  t.match((await ledger.ask(both)).json, { scope: 'ledger:read', aud: 'https://ledger.example.com' })
  const several = await caller('asks for two', 'tokens:introspect:orders', 'tokens:introspect:ledger')
  t.match((await several.ask(both)).json, { scope: 'ledger:read orders:read' })
  for (const [name, scopes] of [
    ['unscoped', ['*']],
    ['of this API', ['apps:read']],
    ['of the ledger', ['ledger:*']],
    ['that introspects', ['tokens:introspect:orders']]
  ] as const) {
    t.equal((await orders.ask((await issue(name, { scopes })).keyAccessToken)).text, INACTIVE, name)
  }
  t.equal((await orders.ask(both, { scope: 'ledger:read' })).text, INACTIVE, 'scopes of another service do not exist')
  t.equal((await orders.ask(both, { scope: 'orders:read ledger:read' })).text, INACTIVE)
})

test('a token ends when the earlier of the token and its key does', async t => {
  const { made, issue, orders } = await prepared(t)
  const { key, keyAccessToken } = await issue('rotated', { scopes: ['orders:read'], expiresAt: new Date('2040-01-01') })
  await made.fastify.clientKeys.rotate(key.id, { graceSeconds: 600 }, operator)
  t.ok((await orders.ask(keyAccessToken)).json.exp < Date.now() / 1000 + 601)
})

test('all scopes that a request names are required', async t => {
  const { issue, orders } = await prepared(t)
  const { keyAccessToken } = await issue('reads', { scopes: ['orders:read'] })
  const every = (await issue('does everything', { scopes: ['orders:*'] })).keyAccessToken
  const ask = async (token: string, scope: string): Promise<boolean> => (await orders.ask(token, { scope })).json.active
  t.ok(await ask(keyAccessToken, 'orders:read'))
  t.ok(await ask(keyAccessToken, ' orders:read  orders:read'))
  t.notOk(await ask(keyAccessToken, 'orders:read orders:refunds:write'))
  t.ok(await ask(every, 'orders:read orders:refunds:write'))
  t.notOk(await ask(every, 'orders:unknown'), 'a scope that the service does not define')
  t.notOk(await ask(every, 'apps:read'), 'a scope of this API')
  t.notOk(await ask(every, '*'))
})

test('every inactive token has the same reply, and the reason is recorded for its key', async t => {
  const { made, issue, all, orders } = await prepared(t)
  const { clientKeys } = made.fastify
  const wanted = { scopes: ['orders:read'] }
  const revoked = await issue('revoked', wanted)
  await clientKeys.revoke(revoked.key.id, null, operator)
  const disabled = await issue('disabled', { ...wanted, enabled: false })
  const replaced = await issue('replaced', wanted)
  await clientKeys.rotate(replaced.key.id, { graceSeconds: 0 }, operator)
  const bound = await issue('bound', { ...wanted, allowedIps: ['10.0.0.0/8'] })
  const limited = await issue('limited', { ...wanted, rateLimit: { max: 1, windowSeconds: 3600 } })
  const good = await issue('good', wanted)
  t.equal((await orders.ask(limited.keyAccessToken)).json.active, true)
  t.equal((await orders.ask(bound.keyAccessToken, { ip: '10.1.2.3' })).json.active, true)

  const token = good.keyAccessToken
  const cases: [string, string, Record<string, string>?][] = [
    ['malformed', 'x'],
    ['bad_checksum', `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`],
    ['key_revoked', revoked.keyAccessToken],
    ['key_disabled', disabled.keyAccessToken],
    ['token_expired', replaced.keyAccessToken],
    ['address_not_allowed', bound.keyAccessToken],
    ['address_not_allowed', bound.keyAccessToken, { ip: '192.0.2.1' }],
    ['rate_limited', limited.keyAccessToken],
    ['insufficient_scope', token, { scope: 'orders:refunds:write' }],
    ['unknown_scope', token, { scope: 'orders:nothing' }]
  ]
  let first: unknown
  for (const [reason, each, more] of cases) {
    const { status, text, headers } = await all.ask(each, more)
    t.same([status, text], [200, INACTIVE], reason)
    const { date: _, 'x-request-id': __, ...same } = headers
    first ??= same
    t.same(same, first, `${reason}: the same headers`)
  }
  await made.fastify.keyUsage.flush()
  const refusals = async (id: string) =>
    (await clientKeys.usage(id, 1)).filter(({ kind }) => kind === 'refusal').map(({ label }) => label)
  t.same(await refusals(revoked.key.id), ['key_revoked'])
  t.same((await refusals(good.key.id)).sort(), ['insufficient_scope', 'unknown_scope'])
})

test('a request about a key counts as a use of that key, not from the address of the caller', async t => {
  const { made, issue, all, orders, caller } = await prepared(t)
  const { key, keyAccessToken } = await issue('used', { scopes: ['orders:*', 'ledger:read'] })
  const two = await caller('asks for two', 'tokens:introspect:orders', 'tokens:introspect:ledger')
  await all.ask(keyAccessToken)
  await orders.ask(keyAccessToken, { ip: '192.0.2.7' })
  await orders.ask(keyAccessToken, { scope: 'orders:read', ip: '[2001:db8::1]:443' })
  await two.ask(keyAccessToken)
  const usage = async (id: string) =>
    (await made.fastify.clientKeys.usage(id, 1)).map(({ kind, label, count }) => `${kind} ${label} ${count}`).sort()
  await made.fastify.keyUsage.flush()
  t.same(await usage(key.id), [
    'address 192.0.2.7 1',
    'address 2001:db8::1 1',
    'address unknown 2',
    'scope ledger:* 1',
    'scope orders:* 2',
    'scope orders:read 1'
  ])
  t.match(at(await made.fastify.clientKeys.tokens(key.id)), { useCount: 4, lastUsedIp: 'unknown', lastUsedAgent: null })
  t.same(await usage(orders.key.id), ['address 127.0.0.1 2', 'scope tokens:introspect:orders 2'])
  t.same(await usage(all.key.id), ['address 127.0.0.1 1', 'scope tokens:introspect 1'])
})

test('a caller sends its token as a Bearer token, or as the password of its id', async t => {
  const { made, issue, orders } = await prepared(t)
  const { keyAccessToken } = await issue('k', { scopes: ['orders:read'] })
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const encoded = (text: string): string => text.replace(/[a-e-]/g, each => `%${each.charCodeAt(0).toString(16)}`)
  const { key, keyAccessToken: own } = orders
  for (const header of [
    basic(key.id, own),
    basic(encoded(key.id), encoded(own)),
    basic(key.id, own).replace('B', 'b')
  ]) {
    t.equal((await introspector(made, header).ask(keyAccessToken)).json.active, true)
  }
  const refused = {
    'the id of another key': basic('0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11', own),
    'no id': basic('', own),
    'no colon': `Basic ${Buffer.from(own).toString('base64')}`,
    'a token of nobody': basic(key.id, 'tck_'),
    'an empty password': basic(key.id, ''),
    'bad encoding of the id': basic('%', own),
    'bad encoding of the token': basic(key.id, '%zz'),
    'not base64': 'Basic ???',
    'another scheme': `Digest ${own}`,
    'a session': `Bearer ${Buffer.from('{"access-token":"a","client":"b","uid":"c"}').toString('base64')}`
  }
  for (const [what, header] of Object.entries(refused)) {
    const { status, headers } = await introspector(made, header).ask(keyAccessToken)
    t.equal(status, 401, what)
    t.same(
      headers['www-authenticate'],
      ['Bearer realm="trivial", error="invalid_token"', 'Basic realm="trivial"'],
      what
    )
  }
  await made.fastify.keyUsage.flush()
  const usage = await made.fastify.clientKeys.usage(key.id, 1)
  t.match(
    usage.filter(({ kind }) => kind === 'refusal'),
    [{ label: 'wrong_client_id', count: 1 }]
  )
  const elsewhere = await made.fastify.inject({
    url: '/client_keys/me',
    headers: { authorization: basic(key.id, own) }
  })
  t.equal(elsewhere.statusCode, 401, 'other routes accept only Bearer tokens')
  t.equal(elsewhere.headers['www-authenticate'], 'Bearer realm="trivial", error="invalid_token"')
})

test('only keys with the scope introspect', async t => {
  const { made, issue, orders } = await prepared(t)
  const target = (await issue('k', { scopes: ['orders:read'] })).keyAccessToken
  for (const scopes of [['orders:*'], ['apps:read', 'client_keys:read']]) {
    const { keyAccessToken } = await issue(scopes.join(), { scopes })
    const { status, headers } = await introspector(made, `Bearer ${keyAccessToken}`).ask(target)
    t.equal(status, 403)
    t.match(headers['www-authenticate'], 'error="insufficient_scope", scope="tokens:introspect"')
  }
  const unscoped = introspector(made, `Bearer ${made.key.keyAccessToken}`)
  t.equal((await unscoped.ask(target)).json.active, true)

  const dmitri = await signIn(made, 'dmitri')
  t.match((await dmitri('POST', '/introspect', 'token=x', { 'content-type': FORM })).json, {
    code: 'CLIENT_KEY_REQUIRED'
  })
  t.match((await orders.form('token=x', { origin: 'https://elsewhere.example' })).json, { code: 'BROWSER_NOT_ALLOWED' })
  const nobody = await made.fastify.inject({
    method: 'POST',
    url: '/introspect',
    payload: 'token=x',
    headers: { 'content-type': FORM }
  })
  t.equal(nobody.statusCode, 401)
  t.same(nobody.headers['www-authenticate'], ['Bearer realm="trivial"', 'Basic realm="trivial"'])
})

test('the form must be well-formed', async t => {
  const { issue, orders } = await prepared(t)
  const { keyAccessToken } = await issue('k', { scopes: ['orders:read'] })
  const good = `token=${keyAccessToken}`
  for (const body of [
    `${good}&token_type_hint=access_token`,
    `${good}&unknown=1&__proto__=2`,
    `${good}&scope=&ip=`,
    `${good}&ip=192.0.2.7`,
    `token=${keyAccessToken.replace('tck_', '%74ck%5F')}`
  ]) {
    t.equal((await orders.form(body)).json.active, true, body.replace(keyAccessToken, '…'))
  }
  for (const body of ['', 'token=', 'scope=orders:read', `${good}&token=x`, `${good}&a=1&a=2`, `${good}&ip=nowhere`]) {
    const { status, json } = await orders.form(body)
    t.equal(status, 400)
    t.match(json, { code: 'INVALID_REQUEST', error: 'invalid_request' })
  }
  t.match((await orders.form('x'.repeat(2 ** 21))).json, { code: 'BODY_TOO_LARGE' })
  t.match((await orders.form(good, { 'content-encoding': 'gzip' })).json, { code: 'UNSUPPORTED_MEDIA_TYPE' })
  t.match((await orders.form('{"token":"x"}', { 'content-type': 'application/json' })).json, {
    code: 'UNSUPPORTED_MEDIA_TYPE'
  })
  t.equal((await orders.form('token=%00%ff%zz')).text, INACTIVE)
})

test('a token in a URL is refused, and is not logged', async t => {
  const { made, orders } = await prepared(t)
  for (const method of ['GET', 'HEAD', 'PUT'] as const) {
    const { statusCode, headers } = await made.fastify.inject({ method, url: '/introspect?token=x' })
    t.same([statusCode, headers['allow']], [405, 'POST'], method)
  }
  const { statusCode } = await made.fastify.inject({
    method: 'POST',
    url: '/introspect?token=x',
    payload: 'token=x',
    headers: { authorization: `Bearer ${orders.keyAccessToken}`, 'content-type': FORM }
  })
  t.equal(statusCode, 422)
})

test('a batch has one verdict for each entry, in order', async t => {
  const { issue, orders, all } = await prepared(t)
  const one = await issue('one', { scopes: ['orders:read'] })
  const two = await issue('two', { scopes: ['orders:*'], allowedIps: ['10.0.0.0/8'] })
  const { status, headers, json } = await orders.batch([
    { token: one.keyAccessToken },
    { token: 'x' },
    { token: two.keyAccessToken, scope: 'orders:refunds:write', ip: '10.1.1.1' },
    { token: one.keyAccessToken, scope: 'orders:refunds:write' },
    { token: '' },
    { token: one.keyAccessToken, scope: '' }
  ])
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.match(json, [
    { active: true, username: 'one', scope: 'orders:read' },
    { active: false },
    { active: true, username: 'two' },
    { active: false },
    { active: false },
    { active: true, username: 'one' }
  ])
  for (const [entries, field] of [
    [[], 'the body must have at least 1 entry'],
    [{ token: 'x' }, 'the body must be an array'],
    [Array.from({ length: 101 }, () => ({ token: 'x' })), 'the body must have at most 100 entries'],
    [[{}], '0.token'],
    [[{ token: 'x' }, { token: 'x', ip: 'nowhere' }], '1.ip'],
    [[{ token: 'x', scopes: [] }], '0.scopes']
  ] as const) {
    const refused = await all.batch(entries)
    t.equal(refused.status, 422, field)
    t.match(refused.json.detail, field)
  }
})

test('a batch of one key with a rate limit passes exactly as often as the limit allows', async t => {
  const { issue, orders } = await prepared(t)
  const { keyAccessToken: token } = await issue('limited', {
    scopes: ['orders:read'],
    rateLimit: { max: 40, windowSeconds: 3600 }
  })
  const { json } = await orders.batch(Array.from({ length: 100 }, () => ({ token })))
  t.same(
    json.map(({ active }: { active: boolean }) => active),
    Array.from({ length: 100 }, (_, index) => index < 40)
  )
})

test('a change to a service applies to the next request', async t => {
  const { made, issue, orders } = await prepared(t)
  const { keyAccessToken } = await issue('k', { scopes: ['orders:*'] })
  t.match((await orders.ask(keyAccessToken)).json, { scope: 'orders:read orders:refunds:write' })
  await made.fastify.storage.keys.write(async ({ keys, services }) => {
    const service = await services.find('orders')
    await keys.advanceRevision('*')
    await services.update({ ...service!, scopes: [{ name: 'orders:new', description: null }], audience: null })
  })
  const { json } = await orders.ask(keyAccessToken)
  t.equal(json.scope, 'orders:new')
  t.notOk('aud' in json)
  t.equal((await orders.ask(keyAccessToken, { scope: 'orders:read' })).text, INACTIVE)
})

test('an operator inspects a token and gets the reason, and nothing is recorded', async t => {
  const { made, issue } = await prepared(t)
  const { key, keyAccessToken: token } = await issue('k', { scopes: ['orders:read'], allowedIps: ['10.0.0.0/8'] })
  const inspect = async (body: object) => await made.call('POST', '/client_keys/inspect', body)
  t.match((await inspect({ token })).json, {
    well_formed: true,
    secret: 'current',
    allowed: true,
    reason: null,
    key: { id: key.id, name: 'k' },
    token: { hint: token.slice(-4), use_count: 0 }
  })
  t.match((await inspect({ token, scopes: ['orders:read'], ip: '10.0.0.1' })).json, { allowed: true })
  t.match((await inspect({ token, scopes: ['orders:write'] })).json, { reason: 'insufficient_scope', key: {} })
  t.match((await inspect({ token, scopes: ['apps:read'] })).json, { reason: 'insufficient_scope' })
  t.match((await inspect({ token, ip: '192.0.2.1' })).json, { reason: 'address_not_allowed' })
  t.match((await inspect({ token: 'x' })).json, { well_formed: false, reason: 'malformed', key: null, token: null })
  t.match((await inspect({ token, ip: 'x' })).json, { fields: [{ pointer: '/ip' }] })
  t.equal((await inspect({ token })).headers['cache-control'], 'no-store')
  await made.fastify.keyUsage.flush()
  t.same(await made.fastify.clientKeys.usage(key.id, 1), [])
  const reads = await issue('reads keys', { scopes: ['client_keys:read'] })
  t.equal(
    (await made.call('POST', '/client_keys/inspect', { token }, { authorization: `Bearer ${reads.keyAccessToken}` }))
      .status,
    200
  )
  const dmitri = await signIn(made, 'dmitri')
  t.equal((await dmitri('POST', '/client_keys/inspect', { token })).json.reason, null)
  const ada = await signIn(made, 'ada')
  t.equal((await ada('POST', '/client_keys/inspect', { token })).status, 403)
})
