import Fastify from 'fastify'
import { test } from 'tap'
import type { Test } from 'tap'
import clientKeyAuth, { createClientKeys, createMemoryStore, keyPrincipalOf } from '../../exports/client-key-auth.ts'
import type { ClientKeyPluginOptions, ClientKeysOptions } from '../../exports/client-key-auth.ts'
import { createTokenSealer, issueClientKey } from '../../domain/keys/token/token.ts'
import { listening, newSecret, raw } from '../helper.ts'

const service = async (t: Test, options: ClientKeyPluginOptions) => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  await fastify.register(clientKeyAuth, options)
  const onRequest = fastify.requireClientKey
  fastify.get('/apps', { onRequest, config: { scope: 'apps:read' } }, async request => ({
    name: keyPrincipalOf(request).key.name
  }))
  fastify.get('/any', { onRequest, config: { scope: null } }, async () => ({}))
  fastify.get('/forgotten', { onRequest }, async () => ({}))
  const get = async (url: string, token?: string) =>
    await fastify.inject({ url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  return { fastify, get }
}

// This project's routes have typed scopes, so the keys must have the same type.
const keyService = () =>
  createClientKeys({ store: createMemoryStore(), secret: newSecret(), scopes: ['apps:read', 'apps:write'] })

test("a service with managed keys accepts keys that have the route's scope", async t => {
  const keys = keyService()
  const { get } = await service(t, { keys })
  const { key, keyAccessToken } = await keys.issue({ name: 'ledger', scopes: ['apps:read'] })
  const other = await keys.issue({ name: 'other', scopes: ['apps:write'] })

  const good = await get('/apps', keyAccessToken)
  t.same([good.statusCode, good.json()], [200, { name: 'ledger' }])
  t.equal((await get('/any', other.keyAccessToken)).statusCode, 200)
  const nobody = await get('/apps')
  t.same([nobody.statusCode, nobody.headers['www-authenticate']], [401, 'Bearer realm="api"'])
  const narrow = await get('/apps', other.keyAccessToken)
  t.equal(narrow.statusCode, 403)
  t.equal(narrow.headers['www-authenticate'], 'Bearer realm="api", error="insufficient_scope", scope="apps:read"')
  t.match(narrow.json(), { code: 'INSUFFICIENT_SCOPE' })
  t.equal((await get('/forgotten', keyAccessToken)).statusCode, 403, 'a route without a scope accepts no keys')

  await keys.revoke(key.id)
  const gone = await get('/apps', keyAccessToken)
  t.same([gone.statusCode, gone.headers['www-authenticate']], [401, 'Bearer realm="api", error="invalid_token"'])
  t.match(await keys.usage(key.id), [
    { kind: 'address', count: 1 },
    { kind: 'refusal', label: 'key_revoked', count: 1 },
    { kind: 'refusal', label: 'user_required', count: 1 },
    { kind: 'scope', label: 'apps:read', count: 1 }
  ])
})

test('a rate limit is enforced with the counters that the service provides', async t => {
  const counters = { hit: async () => ({ hits: 6, ttlMs: 1000 }) }
  const limited = async (options: Partial<ClientKeysOptions<string>>) => {
    const keys = createClientKeys({
      store: createMemoryStore(),
      secret: newSecret(),
      scopes: ['apps:read'],
      ...options
    })
    const { keyAccessToken } = await keys.issue({ name: 'ledger', rateLimit: { max: 5, windowSeconds: 60 } })
    const { get } = await service(t, { keys })
    return await get('/apps', keyAccessToken)
  }
  t.equal((await limited({})).headers['ratelimit'], '"client_key";r=4;t=60')
  t.match(await limited({ counters }), { statusCode: 429, headers: { 'retry-after': 1 } })
})

test('recorded usage is stored when the service closes', async t => {
  const store = createMemoryStore()
  const keys = createClientKeys({ store, secret: newSecret(), scopes: ['apps:read'] })
  const { fastify, get } = await service(t, { keys })
  const { key, keyAccessToken } = await keys.issue({ name: 'ledger' })
  await get('/apps', keyAccessToken)
  await fastify.close()
  t.equal((await store.read(async rows => await rows.keys.usage(key.id, { day: '' }))).length, 2)
})

test("a route that requires an unknown scope can't be registered", async t => {
  const { fastify } = await service(t, { keys: keyService() })
  t.throws(() => fastify.get('/users', { config: { scope: 'users:read' } }, async () => ({})), {
    message: 'GET /users requires the scope users:read, which no key can have'
  })
  t.throws(() => fastify.get('/users', { config: { scope: ['apps:read', 'users:read'] } }, async () => ({})), {
    message: 'GET /users requires the scope users:read, which no key can have'
  })
  fastify.get('/nobody', { config: { scope: 'none' } }, async () => ({}))
})

test('a route that requires several scopes accepts only keys that have all of them', async t => {
  const keys = keyService()
  const { fastify, get } = await service(t, { keys })
  const config = { scope: ['apps:read', 'apps:write'] } as const
  fastify.get('/both', { onRequest: fastify.requireClientKey, config }, async () => ({}))
  const token = async (scopes: ('apps:read' | 'apps:write')[]): Promise<string> =>
    (await keys.issue({ name: scopes.join(), scopes })).keyAccessToken
  t.equal((await get('/both', await token(['apps:read', 'apps:write']))).statusCode, 200)
  const refused = await get('/both', await token(['apps:read']))
  t.equal(refused.statusCode, 403)
  t.equal(
    refused.headers['www-authenticate'],
    'Bearer realm="api", error="insufficient_scope", scope="apps:read apps:write"'
  )
  t.match(refused.json(), { message: /requires apps:read and apps:write/ })
})

test('a list of keys works without a store, and with its own realm', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  const { get } = await service(t, { secret, allowList: [keyId], realm: 'reports' })
  t.equal((await get('/apps', keyAccessToken)).statusCode, 200)
  t.equal((await get('/forgotten', keyAccessToken)).statusCode, 403)
  t.equal((await get('/apps')).headers['www-authenticate'], 'Bearer realm="reports"')
})

/** Creates a service with default options behind a proxy, and a key that one address may use. */
const behindProxy = async (t: Test, maxHeadersCount?: number) => {
  const keys = keyService()
  const fastify = Fastify({ trustProxy: '127.0.0.1' })
  t.teardown(() => fastify.close())
  if (maxHeadersCount !== undefined) fastify.server.maxHeadersCount = maxHeadersCount
  await fastify.register(clientKeyAuth, { keys })
  const onRequest = fastify.requireClientKey
  fastify.get('/any', { onRequest, config: { scope: null } }, async () => ({}))
  const { keyAccessToken } = await keys.issue({ name: 'ledger', allowedIps: ['203.0.113.7'] })
  const port = await listening(fastify)
  return async (lines: number, first: string, last: string): Promise<{ status: number; reply: string }> => {
    const head = `Host: localhost\r\nConnection: close\r\nAuthorization: Bearer ${keyAccessToken}\r\n${first}`
    const known = `${head}${last}`.split('\r\n').length - 1
    const reply = await raw(port, `GET /any HTTP/1.1\r\n${head}${'a:\r\n'.repeat(lines - known)}${last}\r\n`)
    return { status: Number(/^HTTP\/1\.1 (\d+) /.exec(reply)?.[1]), reply }
  }
}

test("no key is accepted if Node.js may have dropped header lines, regardless of the service's options", async t => {
  const forged = 'X-Forwarded-For: 203.0.113.7\r\n'
  const added = 'X-Forwarded-For: 198.51.100.1\r\n'
  const send = await behindProxy(t)
  t.equal((await send(999, '', forged)).status, 200)
  t.equal((await send(999, forged, added)).status, 403)
  for (const lines of [1000, 1001, 5000]) {
    const { status, reply } = await send(lines, forged, added)
    t.equal(status, 431, `${lines} lines`)
    t.match(reply, '"code":"HEADERS_TOO_LARGE"')
  }
  const few = await behindProxy(t, 20)
  t.equal((await few(19, forged, added)).status, 403)
  for (const lines of [20, 21, 33, 5000]) t.equal((await few(lines, forged, added)).status, 431, `${lines} lines`)
  const unlimited = await behindProxy(t, 0)
  t.equal((await unlimited(5000, forged, added)).status, 403, 'no lines are dropped here')
  t.equal((await unlimited(5000, '', forged)).status, 200)
})

test("addresses match in every notation that proxies use, regardless of the service's options", async t => {
  const send = await behindProxy(t)
  for (const [forwarded, status] of [
    ['203.0.113.7:51234', 200],
    ['"203.0.113.7"', 200],
    ['[::ffff:203.0.113.7]:443', 200],
    ['203.0.113.8:51234', 403],
    ['unknown', 403],
    ['203.0.113.7, unknown', 403]
  ] as const) {
    t.equal((await send(10, '', `X-Forwarded-For: ${forwarded}\r\n`)).status, status, forwarded)
  }
})

test('a request with an Origin header is refused if the Host header is invalid', async t => {
  const keys = keyService()
  const { fastify } = await service(t, { keys })
  const { keyAccessToken } = await keys.issue({ name: 'ledger' })
  const headers = { authorization: `Bearer ${keyAccessToken}`, origin: 'http://localhost', host: 'a b' }
  t.equal((await fastify.inject({ url: '/any', headers })).statusCode, 403)
})
