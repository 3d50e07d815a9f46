import Fastify from 'fastify'
import type { RouteOptions } from 'fastify'
import { test } from 'tap'
import { app } from '../../app.ts'
import { SCOPES } from '../../domain/keys/policy/scopes.ts'
import { createTokenSealer, issueClientKey } from '../../domain/keys/token/token.ts'
import { Problem } from '../../http/problems.ts'
import config from '../../plugins/external/config.ts'
import { emptySettings, newSecret, operator, world } from '../helper.ts'

/** The routes that don't require a credential. */
const PUBLIC = /^(\*|\/(up|ready|auth|auth\/sign_in|docs(\/.*)?))$/

test('every route that is not public requires a key with the scope that it declares', async t => {
  const made = await emptySettings(t)
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const routes: RouteOptions[] = []
  fastify.addHook('onRoute', route => {
    routes.push(route)
  })
  await fastify.register(config, { env: made.env })
  await fastify.register(app)
  await fastify.ready()

  const tokens = new Map<string, string>()
  for (const scope of SCOPES) {
    tokens.set(scope, (await fastify.clientKeys.issue({ name: scope, scopes: [scope] }, operator)).keyAccessToken)
  }

  const unscoped = (await fastify.clientKeys.issue({ name: 'unscoped' }, operator)).keyAccessToken

  t.ok(routes.length > 60)
  for (const { method, url, config } of routes.flatMap(route =>
    [route.method].flat().map(each => ({ ...route, method: each }))
  )) {
    const name = `${method} ${url}`
    const call = async (token?: string) =>
      await fastify.inject({
        method: method as 'GET',
        url: url.replaceAll(/:\w+/g, 'x'),
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
      })
    const nobody = await call()
    if (PUBLIC.test(url)) {
      t.not(nobody.statusCode, 401, name)
      continue
    }
    const Other = config?.unauthenticated
    if (Other === undefined) t.equal(nobody.statusCode, 401, name)
    else t.equal(nobody.json().code, new Other().code, name)
    const scope = config?.scope
    t.ok(scope === null || scope === 'none' || tokens.has(String(scope)), name)
    t.ok(['any', 'admin', 'none'].includes(String(config?.users)), name)
    const byAll = await call(unscoped)
    if (scope === 'none') {
      t.match([byAll.statusCode, byAll.payload], [403, method === 'HEAD' ? '' : /USER_REQUIRED/], name)
    } else {
      t.ok(
        byAll.statusCode !== 401 && byAll.statusCode !== 403 && byAll.statusCode < 500,
        `${name} with an unscoped key: ${byAll.statusCode}`
      )
    }
    if (scope === 'none' || scope === undefined) continue
    for (const [own, token] of tokens) {
      const reply = await call(token)
      const isAllowed = scope === null || own === scope
      t.equal(reply.statusCode === 403, !isAllowed, `${name} with ${own}: ${reply.statusCode}`)
      t.ok(reply.statusCode < 500, name)
      if (isAllowed) continue
      const needed = [scope].flat().join(' ')
      t.equal(
        reply.headers['www-authenticate'],
        `Bearer realm="trivial", error="insufficient_scope", scope="${needed}"`
      )
      if (method !== 'HEAD') t.match(reply.json(), { code: 'INSUFFICIENT_SCOPE', detail: scope })
    }
  }
})

test("a service with a protected route that declares no scope can't start", async t => {
  const { fastify } = await world(t)
  t.equal(fastify.hasRoute({ method: 'GET', url: '/apps' }), true)
  const secret = newSecret()
  const { default: autohooks } = await import('../../routes/protected/autohooks.ts')
  const { default: clientKeyPlugin } = await import('../../plugins/app/client-key-plugin.ts')
  const bare = Fastify()
  t.teardown(() => bare.close())
  await bare.register(clientKeyPlugin, { secret })
  bare.decorate('authenticate', (request, reply, done) => {
    bare.requireClientKey(request, reply, done)
  })
  bare.decorate('reauthorize', (request, reply, done) => {
    bare.requireClientKey(request, reply, done)
  })
  bare.addSchema(Problem)
  await bare.register(async scope => {
    await autohooks(scope, {})
    t.throws(() => scope.get('/forgotten', { schema: { response: {} } }, async () => ({})), {
      message: 'GET /forgotten must declare scope and users in its config'
    })
    t.throws(() => scope.get('/forgotten', { config: { scope: null }, schema: { response: {} } }, async () => ({})), {
      message: 'GET /forgotten must declare scope and users in its config'
    })
    scope.get('/any', { config: { scope: null, users: 'none' }, schema: { response: {} } }, async () => ({}))
  })
  t.equal((await bare.inject('/any')).statusCode, 401)
})

test('a route with a policy but without a scope refuses every request', async t => {
  const secret = newSecret()
  const key = issueClientKey(createTokenSealer(secret))
  const { default: clientKeyPlugin } = await import('../../plugins/app/client-key-plugin.ts')
  const bare = Fastify()
  t.teardown(() => bare.close())
  await bare.register(clientKeyPlugin, { secret, allowList: [key.keyId] })
  bare.get('/forgotten', { onRequest: bare.requireClientKey }, async () => ({}))
  const reply = await bare.inject({ url: '/forgotten', headers: { authorization: `Bearer ${key.keyAccessToken}` } })
  t.equal(reply.statusCode, 403)
  t.match(reply.json(), { code: 'USER_REQUIRED' })
})
