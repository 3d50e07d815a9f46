import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { isReservedName } from '../../domain/services/reserved.ts'
import { openStorage } from '../../db/open.ts'
import { emptySettings, operator, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { signIn } from './user.ts'

const ORDERS = {
  name: 'orders',
  description: 'Takes orders',
  audience: 'https://orders.example.com',
  scopes: [{ name: 'orders:read', description: 'Read orders' }, { name: 'orders:refunds:write' }]
}

/** A world with the service `orders`. */
const withOrders = async (t: Test): Promise<World> => {
  const made = await world(t)
  t.equal((await made.call('POST', '/services', ORDERS)).status, 201)
  return made
}

/** Issues a key with the given scopes. Returns its id, and a function that sends requests with its token. */
const issue = async ({ call }: World, ...scopes: string[]) => {
  const { status, json } = await call('POST', '/client_keys', { name: scopes.join(' '), scopes })
  if (status !== 201) throw new Error(`${status} ${json.detail}`)
  return {
    id: json.id as string,
    call: async (method: string, url: string, body?: unknown) =>
      await call(method, url, body, { authorization: `Bearer ${json.key_access_token}` })
  }
}

const scopesOf = async ({ call }: World, id: string): Promise<string[]> =>
  (await call('GET', `/client_keys/${id}`)).json.scopes

test('a service is created, listed in pages, shown, changed and deleted, and each change has a receipt', async t => {
  const { call } = await world(t)
  const created = await call('POST', '/services', ORDERS)
  const { created_at: at } = created.json
  const scopes = [ORDERS.scopes[0], { name: 'orders:refunds:write', description: null }]
  const stored = { ...ORDERS, scopes, created_at: at, updated_at: at }
  t.match(created, {
    status: 201,
    headers: { location: '/services/orders' },
    json: { ...stored, changed_keys: 0, receipt: { leases_ended: 0 } }
  })
  t.equal((await call('POST', '/services', { name: 'ledger' })).status, 201)
  t.same((await call('GET', '/services/orders')).json, stored)

  const first = await call('GET', '/services?limit=1')
  t.match(first, { json: [{ name: 'ledger', description: null, audience: null, scopes: [] }] })
  t.equal(first.headers['link'], '</services?limit=1&after=ledger>; rel="next"')
  const second = await call('GET', '/services?limit=1&after=ledger')
  t.same(second.json, [stored])
  t.equal(second.headers['link'], undefined)

  const changed = await call('PATCH', '/services/orders', { description: null, audience: null })
  t.match(changed, { status: 200, json: { description: null, audience: null, scopes, changed_keys: 0 } })
  t.ok(changed.json.updated_at >= at)
  t.ok(changed.json.receipt.epoch > created.json.receipt.epoch)
  const same = await call('PATCH', '/services/orders', { description: null })
  t.equal(same.json.updated_at, changed.json.updated_at)

  t.match(await call('DELETE', '/services/orders'), { status: 200, json: { name: 'orders', changed_keys: 0 } })
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    const body = method === 'PATCH' ? {} : undefined
    t.match(await call(method, '/services/orders', body), { status: 404, json: { code: 'SERVICE_NOT_FOUND' } }, method)
    t.equal((await call(method, '/services/Orders%21', body)).status, 404, method)
  }
})

test('changes of services are in the audit trail', async t => {
  const { call } = await withOrders(t)
  await call('PATCH', '/services/orders', { description: 'Ships', scopes: [{ name: 'orders:read', description: 'R' }] })
  await call('PATCH', '/services/orders', { description: 'Ships' })
  await call('DELETE', '/services/orders')
  const { json } = await call('GET', '/audits?subject_type=service')
  t.match(json, [
    { action: 'service.delete', subject: { type: 'service', id: 'orders' }, changes: {} },
    {
      action: 'service.change',
      changes: {
        description: { from: 'Takes orders', to: 'Ships' },
        scopes: { from: ['orders:read', 'orders:refunds:write'], to: ['orders:read'] },
        scope_descriptions: { changed: true }
      }
    },
    { action: 'service.create', changes: { name: { to: 'orders' }, audience: { to: ORDERS.audience } } }
  ])
  t.equal(json.length, 3)
})

test('names and scopes that are invalid, reserved or taken are refused, and nothing is stored', async t => {
  const { call } = await world(t)
  const scope = (name: string) => ({ name: 'orders', scopes: [{ name }] })
  const token = `tck_${'0'.repeat(72)}`
  const refused: [object, RegExp][] = [
    [{}, /^name is required/],
    [{ name: 'o' }, /^name must be 2 to 41/],
    [{ name: 'Orders' }, /^name must be/],
    [{ name: 'orders_eu' }, /^name must be/],
    [{ name: '1st' }, /^name must be/],
    [{ name: 'o'.repeat(42) }, /^name must/],
    [{ name: 'client-keys' }, /^name is reserved/],
    [{ name: 'tokens' }, /^name is reserved/],
    [scope('orders'), /^scopes.0.name must be the name of the service/],
    [scope('orders:'), /^scopes.0.name must be/],
    [scope('orders:*'), /^scopes.0.name must be/],
    [scope('orders:Read'), /^scopes.0.name must be/],
    [scope('orders-eu:read'), /^scopes.0.name must be/],
    [scope('apps:read'), /^scopes.0.name must be/],
    [scope(`orders:${'a'.repeat(94)}`), /^scopes.0.name must have at most 100/],
    [{ name: 'orders', scopes: [{ name: 'orders:a' }, { name: 'orders:a' }] }, /^scopes.1.name must differ/],
    [{ name: 'orders', scopes: Array.from({ length: 101 }, (_, i) => ({ name: `orders:${i}` })) }, /^scopes must have/],
    [{ name: 'orders', description: token }, /^description must not contain a token/],
    [{ name: 'orders', audience: token }, /^audience must not contain a token/],
    [{ name: 'orders', scopes: [{ name: 'orders:a', description: token }] }, /^scopes.0.description must not contain/],
    [scope(`orders:${'0'.repeat(32)}`), /^scopes.0.name must not contain/],
    [{ name: 'orders', audience: '' }, /^audience must/],
    [{ name: 'orders', unknown: 1 }, /^unknown is not a known field/]
  ]
  for (const [body, sentence] of refused) {
    const { status, json, text } = await call('POST', '/services', body)
    t.match({ status, sentence: json.errors[0] }, { status: 422, sentence }, JSON.stringify(body).slice(0, 80))
    t.notOk(text.includes(token))
  }
  t.same((await call('GET', '/services')).json, [])
  t.equal((await call('POST', '/services', { ...ORDERS, scopes: [{ name: 'orders:a.b_c-d:1' }] })).status, 201)
  t.match(await call('POST', '/services', { name: 'orders' }), { status: 409, json: { code: 'SERVICE_NAME_TAKEN' } })
  t.match(await call('PATCH', '/services/orders', { scopes: [{ name: 'ledger:read' }] }), { status: 422 })
  t.match(await call('PATCH', '/services/orders', { name: 'ledger' }), { status: 422 })
})

test('there are at most 1000 services', async t => {
  const { call, fastify } = await world(t)
  await fastify.storage.keys.write(async ({ services, keys }) => {
    await keys.advanceRevision('*')
    const at = new Date()
    const fields = { description: null, audience: null, scopes: [], createdAt: at, updatedAt: at }
    for (let number = 1; number <= 1000; number++) await services.insert({ ...fields, name: `s${number}` })
  })
  t.match(await call('POST', '/services', { name: 'orders' }), { status: 409, json: { code: 'TOO_MANY_SERVICES' } })
  t.equal((await fastify.serviceCatalog.current()).size, 1000)
})

test('no resource of this API can be the name of a service, in singular or plural', async t => {
  const { fastify } = await world(t)
  const { paths } = await fastify.openapi('')
  const resources = new Set(Object.keys(paths).flatMap(path => /^\/([a-z_]+)/.exec(path)?.[1] ?? []))
  t.ok(resources.size > 8)
  for (const resource of resources) {
    const name = resource.replaceAll('_', '-')
    // `up` and `ready` are probes, not resources.
    if (['up', 'ready'].includes(name)) continue
    t.ok(isReservedName(name), name)
    t.ok(isReservedName(name.replace(/s$/, '')), name)
  }
})

test('keys can only have scopes that exist, and issues say which exist', async t => {
  const made = await withOrders(t)
  const { call } = made
  const known = ['orders:read', 'orders:refunds:write', 'orders:*', 'tokens:introspect:orders', 'tokens:introspect']
  for (const scope of known) t.same(await scopesOf(made, (await issue(made, scope)).id), [scope], scope)
  const unknown: [string, RegExp][] = [
    ['orders:write', /must be orders:\* or orders:read or orders:refunds:write$/],
    ['ledger:read', /GET \/services/],
    ['ledger:*', /GET \/services/],
    ['tokens:introspect:ledger', /must be tokens:introspect$/],
    ['apps:delete', /must be apps:read or apps:write$/],
    ['apps:*', /must be apps:read or apps:write$/],
    ['orders', /GET \/services/],
    ['orders:', /GET \/services/],
    ['orders:*:read', /GET \/services/],
    ['tokens:introspect:*', /GET \/services/],
    ['', /GET \/services/]
  ]
  const { id } = await issue(made, 'apps:read')
  for (const [scope, sentence] of unknown) {
    for (const [method, url] of [
      ['POST', '/client_keys'],
      ['PATCH', `/client_keys/${id}`]
    ] as const) {
      const { status, json } = await call(method, url, { name: 'k', scopes: ['apps:read', scope] })
      t.match({ status, sentence: json.errors[0] }, { status: 422, sentence }, `${method} ${scope}`)
      t.match(json.fields, [{ pointer: '/scopes/1' }])
    }
  }
  const many = Array.from({ length: 20 }, (_, index) => ({ name: `ledger:${index}` }))
  await call('POST', '/services', { name: 'ledger', scopes: many })
  const { json } = await call('POST', '/client_keys', { name: 'k', scopes: ['ledger:20'] })
  t.match(json.errors, [/GET \/services/])
})

test('scopes that others include are left out, and * does not include those of services', async t => {
  const made = await withOrders(t)
  const { call } = made
  const scopes = ['orders:read', 'apps:write', 'orders:*', 'apps:read', 'orders:read', 'tokens:introspect:orders']
  const { id } = await issue(made, ...scopes)
  t.same(await scopesOf(made, id), ['apps:read', 'apps:write', 'orders:*', 'tokens:introspect:orders'])
  const change = async (...scopes: string[]) => (await call('PATCH', `/client_keys/${id}`, { scopes })).json.scopes
  t.same(await change('orders:read', '*', 'apps:read', 'tokens:introspect:orders'), ['*', 'orders:read'])
  t.same(await change('tokens:introspect:orders', 'tokens:introspect'), ['tokens:introspect'])

  const listed = async (scope: string): Promise<string[]> =>
    (await call('GET', `/client_keys?scope=${encodeURIComponent(scope)}`)).json.flatMap((key: { name: string }) =>
      ['all', 'one', 'both', 'own', 'for one', 'for any'].includes(key.name) ? [key.name] : []
    )
  const keys: Record<string, string[]> = {
    all: ['orders:*'],
    one: ['orders:read'],
    both: ['*', 'orders:read'],
    own: ['*'],
    'for one': ['tokens:introspect:orders'],
    'for any': ['tokens:introspect']
  }
  for (const [name, scopes] of Object.entries(keys)) await call('POST', '/client_keys', { name, scopes })
  t.same(await listed('orders:read'), ['all', 'one', 'both'])
  t.same(await listed('orders:*'), ['all'])
  t.same(await listed('orders:refunds:write'), ['all'])
  t.same(await listed('*'), ['both', 'own'])
  t.same(await listed('apps:read'), ['both', 'own'])
  t.same(await listed('tokens:introspect:orders'), ['both', 'own', 'for one', 'for any'])
  t.same(await listed('tokens:introspect'), ['both', 'own', 'for any'])
  t.equal((await call('GET', '/client_keys?scope=x')).status, 422)
})

test('a scope or service that keys have is only removed with force, and is taken from all of them', async t => {
  const made = await withOrders(t)
  const { call, fastify } = made
  const one = await issue(made, 'orders:read')
  const mixed = await issue(made, 'orders:read', 'apps:read', 'orders:refunds:write')
  const all = await issue(made, 'orders:*')
  const introspects = await issue(made, 'tokens:introspect:orders', 'audits:read')
  const revoked = await issue(made, 'orders:read', 'users:read')
  const other = await issue(made, 'tokens:introspect')
  await call('POST', `/client_keys/${revoked.id}/revoke`)

  const fewer = { scopes: [{ name: 'orders:refunds:write' }, { name: 'orders:new' }] }
  const refused = await call('PATCH', '/services/orders', fewer)
  t.match(refused, { status: 409, json: { code: 'SERVICE_IN_USE', detail: /^2 client keys have scopes/ } })
  t.same(await scopesOf(made, one.id), ['orders:read'])
  const forced = await call('PATCH', '/services/orders?force=true', fewer)
  t.match(forced, { status: 200, json: { changed_keys: 2, receipt: { leases_ended: 0 } } })
  t.same(await scopesOf(made, one.id), [])
  t.same(await scopesOf(made, mixed.id), ['apps:read', 'orders:refunds:write'])
  t.same(await scopesOf(made, all.id), ['orders:*'])
  t.same(await scopesOf(made, revoked.id), ['users:read', 'orders:read'], 'a revoked key is a record')

  t.match(await call('DELETE', '/services/orders'), { status: 409, json: { detail: /^3 client keys have/ } })
  t.match(await call('DELETE', '/services/orders?force=true'), { status: 200, json: { changed_keys: 3 } })
  const left = await Promise.all([one, mixed, all, introspects, other].map(async ({ id }) => await scopesOf(made, id)))
  t.same(left, [[], ['apps:read'], [], ['audits:read'], ['tokens:introspect']])
  t.match((await call('GET', '/audits?subject_type=service&limit=2')).json, [
    { action: 'service.delete', changes: { changed_keys: { to: 3 } } },
    { action: 'service.change', changes: { changed_keys: { to: 2 } } }
  ])

  t.equal((await call('POST', '/services', ORDERS)).status, 201)
  t.same(await scopesOf(made, all.id), [], 'a service with the same name does not revive scopes')
  const last = await issue(made, 'orders:refunds:write', 'orders:*')
  t.same(await scopesOf(made, last.id), ['orders:*'])
  t.match(await call('DELETE', '/services/orders'), { status: 409, json: { detail: /^1 client key has .* from it/ } })
  t.equal((await fastify.serviceCatalog.current()).size, 1)
})

test('a key whose last scope was removed can do nothing, and can still be changed', async t => {
  const made = await withOrders(t)
  const { call } = made
  const key = await issue(made, 'orders:read')
  t.equal((await key.call('GET', '/apps')).status, 403)
  await call('DELETE', '/services/orders?force=true')
  for (const url of ['/apps', '/client_keys', '/users', '/services', '/audits', '/organizations', '/nodes']) {
    t.equal((await key.call('GET', url)).status, 403, url)
  }
  t.equal((await key.call('POST', '/client_keys', { name: 'k', scopes: ['apps:read'] })).status, 403)
  t.match((await key.call('GET', '/client_keys/me')).json, { scopes: [] })
  t.match(await call('PATCH', `/client_keys/${key.id}`, { description: 'Waits' }), {
    status: 200,
    json: { scopes: [] }
  })
  t.equal((await call('PATCH', `/client_keys/${key.id}`, { scopes: [] })).status, 422)
  t.match(await call('PATCH', `/client_keys/${key.id}`, { scopes: ['apps:read'] }), { status: 200 })
})

test('nobody gives a scope that they lack, and unscoped keys can give scopes that they cannot use', async t => {
  const made = await withOrders(t)
  await made.call('POST', '/services', { name: 'ledger', scopes: [{ name: 'ledger:read' }] })
  const writing = 'client_keys:write'
  const all = await issue(made, writing, 'orders:*')
  const one = await issue(made, writing, 'orders:read')
  const introspects = await issue(made, writing, 'tokens:introspect:orders')
  const introspectsAll = await issue(made, writing, 'tokens:introspect')
  const unscoped = await issue(made, '*')
  const admin = await signIn(made, 'ada')
  const given: [string, typeof admin, string, number][] = [
    ['all', all.call, 'orders:read', 201],
    ['all', all.call, 'orders:*', 201],
    ['all', all.call, 'orders:unknown', 422],
    ['all', all.call, 'ledger:read', 403],
    ['all', all.call, 'nothing:read', 403],
    ['all', all.call, 'tokens:introspect:orders', 403],
    ['all', all.call, '*', 403],
    ['one', one.call, 'orders:read', 201],
    ['one', one.call, 'orders:*', 403],
    ['one', one.call, 'orders:refunds:write', 403],
    ['one', one.call, 'orders:unknown', 403],
    ['introspects', introspects.call, 'tokens:introspect:orders', 201],
    ['introspects', introspects.call, 'tokens:introspect:ledger', 403],
    ['introspects', introspects.call, 'tokens:introspect', 403],
    ['introspects', introspects.call, 'orders:read', 403],
    ['introspectsAll', introspectsAll.call, 'tokens:introspect:ledger', 201],
    ['introspectsAll', introspectsAll.call, 'tokens:introspect:nothing', 422],
    ['introspectsAll', introspectsAll.call, 'services:write', 403],
    ['unscoped', unscoped.call, 'orders:refunds:write', 201],
    ['unscoped', unscoped.call, 'ledger:*', 201],
    ['an administrator', admin, 'orders:read', 403],
    ['an administrator', admin, 'services:read', 403],
    ['an administrator', admin, 'tokens:introspect', 403],
    ['an administrator', admin, 'tokens:introspect:orders', 403]
  ]
  for (const [who, call, scope, status] of given) {
    const name = `${who}: ${scope}`
    t.equal((await call('POST', '/client_keys', { name, scopes: [scope] })).status, status, name)
  }
  const target = await issue(made, 'orders:*', 'apps:read')
  t.equal((await one.call('PATCH', `/client_keys/${target.id}`, { scopes: ['orders:read'] })).status, 403)
  t.equal((await one.call('POST', `/client_keys/${target.id}/rotate`)).status, 403)
  t.equal((await one.call('POST', `/client_keys/${target.id}/revoke`)).status, 403)
})

test('sessions of users have no access to services', async t => {
  const made = await withOrders(t)
  const admin = await signIn(made, 'ada')
  for (const [method, url] of [
    ['GET', '/services'],
    ['GET', '/services/orders'],
    ['DELETE', '/services/orders']
  ] as const) {
    t.match(await admin(method, url), { status: 403, json: { code: 'CLIENT_KEY_REQUIRED' } })
  }
})

test('a key that is revoked or narrowed while its request is decided changes no service', async t => {
  const made = await withOrders(t)
  const { fastify, call } = made
  const { id } = await issue(made, 'services:write')
  const token = (await call('POST', `/client_keys/${id}/rotate`)).json.key_access_token as string
  const verdict = await fastify.clientKeys.verify(token, { scopes: ['services:write'] })
  if (!verdict.ok) throw new Error(verdict.reason)
  const { key } = verdict
  const actor = { kind: 'client_key', id: key.id, name: key.name } as const
  const context = { ...operator, actor, principal: { ...verdict, kind: 'client_key' as const } }
  const attempts = async (code: string): Promise<void> => {
    const { serviceRegistry: services } = fastify
    await t.rejects(services.create({ name: 'ledger' }, context), { code })
    await t.rejects(services.change('orders', { description: null, force: false }, context), { code })
    await t.rejects(services.remove('orders', { force: true }, context), { code })
  }
  await call('PATCH', `/client_keys/${id}`, { scopes: ['services:read'] })
  await attempts('INSUFFICIENT_SCOPE')
  await call('POST', `/client_keys/${id}/revoke`)
  await attempts('INVALID_TOKEN')
  t.match((await call('GET', '/services')).json, [{ name: 'orders', description: 'Takes orders' }])
})

test('a start refuses a service whose name this version reserves', async t => {
  const { env } = await emptySettings(t)
  const storage = await openStorage(env.DATABASE_URL)
  await storage.keys.write(async ({ services, keys }) => {
    await keys.advanceRevision('*')
    const at = new Date()
    const fields = { description: null, audience: null, scopes: [], createdAt: at, updatedAt: at }
    await services.insert({ ...fields, name: 'webhooks' })
  })
  await storage.close()
  await t.rejects(createServer(env), { message: /service named webhooks/, hint: /service remove webhooks --force/ })
})
