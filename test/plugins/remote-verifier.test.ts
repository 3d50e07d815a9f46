import Fastify from 'fastify'
import { test } from 'tap'
import type { Test } from 'tap'
import clientKeyAuth from '../../exports/client-key-auth.ts'
import type { ClientKeyPluginOptions } from '../../exports/client-key-auth.ts'
import { active, INACTIVE, introspectionServer, sendJson, httpServer, verifierOf } from '../client/service.ts'
import { newSecret } from '../helper.ts'

/** Creates a service that asks a verifier, and collects its log lines. */
const service = async (t: Test, url: string) => {
  const lines: Record<string, unknown>[] = []
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) }
  const fastify = Fastify({ logger: { stream } })
  t.teardown(() => fastify.close())
  // The routes of this project have typed scopes, so the service has the name of one of its resources.
  await fastify.register(clientKeyAuth, { verifier: verifierOf(t, url, { service: 'apps' }) })
  const onRequest = fastify.requireClientKey
  fastify.get('/apps', { onRequest, config: { scope: 'apps:read' } }, async request => request.principal)
  fastify.get('/both', { onRequest, config: { scope: ['apps:read', 'apps:write'] } }, async () => ({}))
  fastify.get('/any', { onRequest, config: { scope: null } }, async () => ({}))
  fastify.get('/forgotten', { onRequest }, async () => ({}))
  const get = async (path: string, headers: Record<string, string> = { authorization: 'Bearer good' }) =>
    await fastify.inject({ url: path, headers })
  return { fastify, get, lines }
}

const refusal = (lines: Record<string, unknown>[]) => lines.findLast(({ msg }) => msg === 'client key refused')

test('a service without a database accepts the keys that the verifier accepts', async t => {
  const { url, received } = await introspectionServer(t, () =>
    active({ scope: 'apps:read', owner: 'customer:4711', metadata: { plan: 'gold' }, exp: 1_900_000_000 })
  )
  const { get } = await service(t, url)
  const good = await get('/apps')
  t.same([good.statusCode, good.headers['ratelimit']], [200, undefined])
  t.same(good.json(), {
    kind: 'client_key',
    key: {
      id: 'id-1',
      name: 'ledger',
      owner: 'customer:4711',
      metadata: { plan: 'gold' },
      expiresAt: '2030-03-17T17:46:40.000Z',
      scopes: ['apps:read']
    },
    rate: null
  })
  t.equal((await get('/any')).statusCode, 200)
  t.match(received, [
    { entries: [{ token: 'good', scope: 'apps:read', scope_error: true, ip: '127.0.0.1' }] },
    { entries: [{ token: 'good', scope: undefined, ip: '127.0.0.1' }] }
  ])
})

test('refusals have the same replies as those of keys in a database', async t => {
  const { url, received } = await introspectionServer(t, ({ token, scope }) =>
    token !== 'good'
      ? INACTIVE
      : scope === 'apps:read'
        ? active({ scope })
        : { active: false, error: 'insufficient_scope' }
  )
  const { get, lines } = await service(t, url)
  const bad = await get('/apps', { authorization: 'Bearer bad' })
  t.same([bad.statusCode, bad.headers['www-authenticate']], [401, 'Bearer realm="api", error="invalid_token"'])
  t.match(bad.json(), { code: 'INVALID_TOKEN' })
  t.match(refusal(lines), { reason: 'inactive' })

  const narrow = await get('/both')
  t.same(
    [narrow.statusCode, narrow.headers['www-authenticate']],
    [403, 'Bearer realm="api", error="insufficient_scope", scope="apps:read apps:write"']
  )
  t.match(narrow.json(), { code: 'INSUFFICIENT_SCOPE' })
  t.match(refusal(lines), { reason: 'insufficient_scope' })

  const asked = received.length
  const nobody = await get('/apps', {})
  t.same([nobody.statusCode, nobody.headers['www-authenticate']], [401, 'Bearer realm="api"'])
  t.match((await get('/forgotten')).json(), { statusCode: 403, code: 'USER_REQUIRED' })
  const page = { authorization: 'Bearer good', origin: 'https://evil.example' }
  t.match((await get('/apps', page)).json(), { statusCode: 403, code: 'BROWSER_NOT_ALLOWED' })
  t.equal(received.length, asked, 'these do not depend on the key')
})

test('if the verifier fails, the reply is 503 and reveals nothing', async t => {
  for (const status of [401, 500]) {
    const url = await httpServer(t, (request, response) => {
      request.resume()
      sendJson(response, { detail: 'internals' }, status)
    })
    const { get, lines } = await service(t, url)
    const failed = await get('/apps')
    t.match(failed.json(), { statusCode: 503, code: 'KEYS_UNAVAILABLE' })
    t.notMatch(failed.body, /internals|keyAccessToken|verifier/)
    t.match(JSON.stringify(lines), 'VerifierUnavailable', 'the cause is in the log')
  }
})

test('requests of one turn share a request to the service', async t => {
  const { url, received } = await introspectionServer(t, () => active({ scope: 'apps:read' }))
  const { get } = await service(t, url)
  await get('/apps')
  const replies = await Promise.all(Array.from({ length: 20 }, async () => await get('/apps')))
  t.ok(replies.every(({ statusCode }) => statusCode === 200))
  t.ok(received.length < 21, `${received.length} requests`)
})

test("a route can't require a scope of another service", async t => {
  const { url } = await introspectionServer(t, () => active())
  const { fastify } = await service(t, url)
  t.throws(() => fastify.get('/users', { config: { scope: 'users:read' } }, async () => ({})), {
    message: 'GET /users requires the scope users:read, which no key can have'
  })
})

test('a verifier replaces the other sources of keys', async t => {
  const verifier = verifierOf(t, 'http://127.0.0.1:1')
  for (const [options, message] of [
    [{ verifier, secret: newSecret() }, /verifier replaces keys and secret/],
    [{ verifier, keys: undefined }, /verifier replaces keys and secret/],
    [{ verifier: undefined }, /verifier must be the return value of createVerifier/],
    [{ verifier: {} }, /verifier must be the return value of createVerifier/]
  ] as const) {
    const fastify = Fastify()
    await t.rejects(
      async () => {
        await fastify.register(clientKeyAuth, options as unknown as ClientKeyPluginOptions)
      },
      { message }
    )
  }
})
