import bearerAuth from '@fastify/bearer-auth'
import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import { test } from 'tap'
import type { Test } from 'tap'
import clientKeyAuth, { createClientKeys, createMemoryStore, keyPrincipalOf } from '../../exports/client-key-auth.ts'
import type { ClientKeyPluginOptions } from '../../exports/client-key-auth.ts'
import { listening, newSecret, raw } from '../helper.ts'

interface Host {
  readonly fastify: FastifyInstance
  readonly get: (token: string, headers?: Record<string, string>) => Promise<{ statusCode: number; body: string }>
  /** Issues a key that may send two requests per hour, and returns its token. */
  readonly limited: () => Promise<string>
}

/** Creates a service whose host registers another plugin before or after the plugin under test. */
const host = async (
  t: Test,
  register: (fastify: FastifyInstance) => Promise<unknown>,
  order: 'before' | 'after'
): Promise<Host> => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const keys = createClientKeys({ store: createMemoryStore(), secret: newSecret(), scopes: ['apps:read'] })
  if (order === 'before') await register(fastify)
  await fastify.register(clientKeyAuth, { keys })
  if (order === 'after') await register(fastify)
  fastify.get('/apps', { onRequest: fastify.requireClientKey, config: { scope: 'apps:read' } }, async request => ({
    name: keyPrincipalOf(request).key.name
  }))
  fastify.get('/open', async () => ({}))
  let count = 0
  return {
    fastify,
    get: async (token, headers = {}) =>
      await fastify.inject({ url: '/apps', headers: { authorization: `Bearer ${token}`, ...headers } }),
    limited: async () => {
      const rateLimit = { max: 2, windowSeconds: 3600 }
      return (await keys.issue({ name: `k${++count}`, rateLimit })).keyAccessToken
    }
  }
}

for (const order of ['before', 'after'] as const) {
  test(`each key has its own limit if the host registers @fastify/rate-limit ${order} the plugin`, async t => {
    const { get, limited, fastify } = await host(
      t,
      async fastify => {
        await fastify.register(rateLimit, { max: 1000, timeWindow: 3_600_000 })
      },
      order
    )
    const [one, other] = [await limited(), await limited()]
    const statuses: number[] = []
    for (const token of [one, one, one, other, other, other]) statuses.push((await get(token)).statusCode)
    t.same(statuses, [200, 200, 429, 200, 200, 429])
    t.equal((await fastify.inject('/open')).headers['x-ratelimit-limit'], '1000', "the host's limit also applies")
  })

  test(`a pipelined burst is limited if @fastify/rate-limit is registered ${order} the plugin`, async t => {
    const { limited, fastify } = await host(
      t,
      async fastify => {
        await fastify.register(rateLimit, { max: 1000 })
      },
      order
    )
    const request = (connection: string, token: string): string =>
      `GET /apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: ${connection}\r\n\r\n`
    const token = await limited()
    const text = request('keep-alive', token).repeat(4) + request('close', token)
    const replies = await raw(await listening(fastify), text)
    const statuses = [...replies.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)
    t.same(statuses.sort(), ['200', '200', '429', '429', '429'])
  })

  test(`the host may register @fastify/bearer-auth ${order} the plugin`, async t => {
    const { get, limited, fastify } = await host(
      t,
      async fastify => {
        await fastify.register(bearerAuth, { addHook: false, keys: ['the-key-of-the-host'] })
      },
      order
    )
    const onRequest = fastify.getDecorator<onRequestHookHandler>('verifyBearerAuth')
    fastify.get('/host', { onRequest }, async () => ({}))
    const token = await limited()
    t.equal((await get(token)).statusCode, 200)
    t.equal((await get('the-key-of-the-host')).statusCode, 401)
    const hosts = async (key: string): Promise<number> =>
      (await fastify.inject({ url: '/host', headers: { authorization: `Bearer ${key}` } })).statusCode
    t.same([await hosts('the-key-of-the-host'), await hosts(token)], [200, 401])
  })

  test(`hooks that the host adds ${order} the plugin either see the principal or do not change the outcome`, async t => {
    const seen: unknown[] = []
    const { get, limited } = await host(
      t,
      async fastify => {
        fastify.addHook('onRequest', async (_request, reply) => {
          reply.header('x-host', '1')
        })
        fastify.addHook('preHandler', async request => {
          seen.push(request.principal === null ? null : keyPrincipalOf(request).key.name)
        })
      },
      order
    )
    t.match(await get(await limited()), { statusCode: 200, headers: { 'x-host': '1' } })
    t.match(await get('x'), { statusCode: 401 })
    t.same(seen, ['k1'], 'a refused request does not reach later hooks')
  })
}

test('if the host has its own request.principal, the plugin does not start, and the error explains why', async t => {
  const own = async (fastify: FastifyInstance): Promise<unknown> => fastify.decorateRequest('principal', null)
  await t.rejects(host(t, own, 'before'), { message: /another plugin has decorated requests with principal/ })
  await t.rejects(host(t, own, 'after'), { message: /'principal' has already been added/ })
})

test('a host that sets request.principal does not affect which requests are accepted', async t => {
  const { get, limited } = await host(
    t,
    async fastify => {
      fastify.addHook('onRequest', async request => {
        Object.assign(request, { principal: { kind: 'user', name: 'nobody' } })
      })
    },
    'before'
  )
  t.same((await get('x')).statusCode, 401)
  t.same(JSON.parse((await get(await limited())).body), { name: 'k1' })
})

test("a host's hook may await requireClientKey", async t => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const keys = createClientKeys({ store: createMemoryStore(), secret: newSecret(), scopes: ['apps:read'] })
  await fastify.register(clientKeyAuth, { keys })
  fastify.addHook('onRequest', async (request, reply) => {
    await fastify.requireClientKey(request, reply)
  })
  fastify.get('/apps', { config: { scope: 'apps:read' } }, async () => ({}))
  const get = async (token: string): Promise<number> =>
    (await fastify.inject({ url: '/apps', headers: { authorization: `Bearer ${token}` } })).statusCode
  t.equal(await get('nonsense'), 401)
  t.equal(await get((await keys.issue({ name: 'k' })).keyAccessToken), 200)
})

test('a failing store causes a 503 without details', async t => {
  const store = createMemoryStore()
  const keys = createClientKeys({
    store: {
      ...store,
      keyLookup: {
        ...store.keyLookup,
        barrier: async () => {
          throw Object.assign(new Error('10.0.0.5:5432 refused'), { statusCode: 404 })
        }
      }
    },
    secret: newSecret(),
    scopes: ['apps:read']
  })
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  await fastify.register(clientKeyAuth, { keys })
  fastify.get('/apps', { onRequest: fastify.requireClientKey, config: { scope: 'apps:read' } }, async () => ({}))
  const reply = await fastify.inject({ url: '/apps', headers: { authorization: 'Bearer nonsense' } })
  t.match(reply.json(), { statusCode: 503, code: 'KEYS_UNAVAILABLE' })
  t.notMatch(reply.payload, '10.0.0.5')
})

test('invalid options are rejected at startup, with the reason', async t => {
  const secret = newSecret()
  const keys = createClientKeys({ store: createMemoryStore(), secret, scopes: ['apps:read'] })
  const start = async (options: unknown): Promise<FastifyInstance> => {
    const fastify = Fastify()
    t.teardown(() => fastify.close())
    await fastify.register(clientKeyAuth, options as ClientKeyPluginOptions)
    return fastify
  }
  for (const realm of ['a"b', 'a\r\nb', 'ä', '']) {
    await t.rejects(start({ keys, realm }), { message: /^realm must consist of printable ASCII characters/ })
  }
  for (const wrong of [undefined, {}, { verify: 1 }]) {
    await t.rejects(start({ keys: wrong }), { message: /^keys must be the return value of createClientKeys/ })
  }
  await t.rejects(start({}), { message: /^secret must be a string of at least 32 characters/ })
  await t.rejects(start({ secret: 'short' }), { message: /^secret must be a string of at least 32 characters/ })
  const fastify = await start({ keys })
  await t.rejects(
    async () => {
      await fastify.register(clientKeyAuth, { keys })
    },
    {
      message: /registered in this context/
    }
  )
  t.throws(() => fastify.get('/x', { config: { scope: [] } }, async () => ({})), { message: /declares no scope/ })
  for (const scopes of [undefined, 'reports:read']) {
    t.throws(() => createClientKeys({ store: createMemoryStore(), secret, scopes: scopes as unknown as [] }), {
      message: /^scopes must be an array/
    })
  }
})

test('a route with an empty array of scopes accepts no keys', async t => {
  const secret = newSecret()
  const keys = createClientKeys({ store: createMemoryStore(), secret, scopes: ['apps:read'] })
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  await fastify.register(clientKeyAuth, { keys })
  const scope: 'apps:read'[] = ['apps:read']
  fastify.get('/x', { onRequest: fastify.requireClientKey, config: { scope } }, async () => ({}))
  scope.pop()
  const { keyAccessToken } = await keys.issue({ name: 'k' })
  const reply = await fastify.inject({ url: '/x', headers: { authorization: `Bearer ${keyAccessToken}` } })
  t.match(reply.json(), { statusCode: 403, message: 'This route does not accept client keys. Use another credential.' })
})
