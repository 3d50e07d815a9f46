import { test } from 'tap'
import { ALL_KEYS } from '../../domain/keys/freshness/lease-store.ts'
import { operator, world } from '../helper.ts'

const issued = async ({ call }: Awaited<ReturnType<typeof world>>, name: string, fields: object = {}) => {
  const { status, json } = await call('POST', '/client_keys', { name, ...fields })
  if (status !== 201) throw new Error(JSON.stringify(json))
  return { id: String(json.id), headers: { authorization: `Bearer ${String(json.key_access_token)}` } }
}

test('an owner is stored, listed, changed and removed, and is part of the trail', async t => {
  const made = await world(t)
  const { call } = made
  const { id, headers } = await issued(made, 'one', { owner: 'customer:4711' })
  await issued(made, 'two')
  t.match((await call('GET', '/client_keys/me', undefined, headers)).json, { owner: 'customer:4711' })
  t.match((await call('GET', `/client_keys/${id}`)).json, { owner: 'customer:4711' })
  t.same(
    ((await call('GET', '/client_keys?owner=customer:4711')).json as { name: string }[]).map(({ name }) => name),
    ['one']
  )
  t.match((await call('PATCH', `/client_keys/${id}`, { owner: 'customer:1' })).json, { owner: 'customer:1' })
  t.same((await call('GET', '/client_keys?owner=customer:4711')).json, [])
  t.match((await call('PATCH', `/client_keys/${id}`, { owner: null })).json, { owner: null })
  const { json } = await call('GET', `/audits?subject_id=${id}`)
  t.match(json, [
    { changes: { owner: { from: 'customer:1', to: null } } },
    { changes: { owner: { from: 'customer:4711', to: 'customer:1' } } },
    { changes: { owner: { to: 'customer:4711' } } }
  ])
})

test('an owner that is empty, too long or a credential is refused', async t => {
  const { call } = await world(t)
  for (const owner of ['', ' ', 'x'.repeat(256), `tck_${'a'.repeat(30)}`, 5, ['one']]) {
    t.equal((await call('POST', '/client_keys', { name: 'a', owner })).status, 422)
    t.equal((await call('POST', '/client_keys/revoke', { owner })).status, 422)
  }
  t.equal((await call('POST', '/client_keys/revoke', {})).status, 422)
  t.equal((await call('POST', '/client_keys/revoke', { owner: null })).status, 422)
  t.equal((await call('GET', `/client_keys?owner=${'x'.repeat(256)}`)).status, 422)
  t.equal((await call('GET', '/client_keys/usage')).status, 422)
  t.equal((await call('POST', '/client_keys', { name: 'a', owner: 'x'.repeat(255) })).status, 201)
})

test('all keys of an owner are revoked at once, with one receipt and one entry in the trail', async t => {
  const made = await world(t)
  const { call } = made
  const one = await issued(made, 'one', { owner: 'customer:4711' })
  const two = await issued(made, 'two', { owner: 'customer:4711', enabled: false })
  const other = await issued(made, 'other', { owner: 'customer:1' })
  const earlier = await issued(made, 'earlier', { owner: 'customer:4711' })
  await call('POST', `/client_keys/${earlier.id}/revoke`, { reason: 'first' })
  t.equal((await call('GET', '/apps', undefined, one.headers)).status, 200)
  const { status, json } = await call('POST', '/client_keys/revoke', { owner: 'customer:4711', reason: 'left' })
  t.equal(status, 200)
  t.match(json, { owner: 'customer:4711', keys: 2, receipt: { epoch: Number } })
  t.equal((await call('GET', '/apps', undefined, one.headers)).status, 401)
  t.equal((await call('GET', '/apps', undefined, other.headers)).status, 200)
  for (const [{ id }, reason] of [
    [one, 'left'],
    [two, 'left'],
    [earlier, 'first']
  ] as const) {
    t.match((await call('GET', `/client_keys/${id}`)).json, { revoked_at: String, revoked_reason: reason })
  }
  t.match((await call('GET', `/receipts/${(json as { receipt: { id: string } }).receipt.id}`)).json, { nodes: 0 })
  const again = await call('POST', '/client_keys/revoke', { owner: 'customer:4711' })
  t.match(again, { status: 200, json: { keys: 0, receipt: { epoch: Number } } })
  const trail = await call('GET', '/audits?subject_type=client_key_owner&subject_id=customer:4711')
  t.match(trail.json, [
    { action: 'client_key.revoke_owner', changes: { keys: { to: 2 }, revoked_reason: { to: 'left' } } }
  ])
  t.equal((trail.json as unknown as object[]).length, 1)
})

test('if one key of an owner exceeds the permission boundary of the requester, none is revoked', async t => {
  const made = await world(t)
  const { call, fastify } = made
  const narrow = await issued(made, 'narrow', { scopes: ['client_keys:write', 'apps:read'] })
  const own = await issued(made, 'own', { owner: 'customer:4711', scopes: ['apps:read'] })
  const wide = await issued(made, 'wide', { owner: 'customer:4711', scopes: ['apps:read', 'apps:write'] })
  const revoke = async () => await call('POST', '/client_keys/revoke', { owner: 'customer:4711' }, narrow.headers)
  t.match(await revoke(), { status: 403, json: { code: 'BEYOND_CEILING', errors: [/apps:write/] } })
  t.match((await call('GET', `/client_keys/${own.id}`)).json, { revoked_at: null })
  await fastify.clientKeys.revoke(wide.id, null, operator)
  t.match(await revoke(), { status: 200, json: { keys: 1 } })
  t.match(await call('POST', '/client_keys/revoke', { owner: 'customer:4711' }, own.headers), { status: 401 })
})

test('a key can revoke its own owner', async t => {
  const made = await world(t)
  const own = await issued(made, 'own', { owner: 'customer:4711' })
  t.match(await made.call('POST', '/client_keys/revoke', { owner: 'customer:4711' }, own.headers), {
    status: 200,
    json: { keys: 1 }
  })
  t.equal((await made.call('GET', '/client_keys/me', undefined, own.headers)).status, 401)
})

test('a revocation that the nodes could not confirm is replied to with 202', async t => {
  const { call, fastify } = await world(t)
  const { revokeOwner } = fastify.clientKeys
  t.intercept(fastify.clientKeys, 'revokeOwner', {
    value: async (...args: Parameters<typeof revokeOwner>) => ({ ...(await revokeOwner(...args)), receipt: null })
  })
  const { status, json, headers } = await call('POST', '/client_keys/revoke', { owner: 'customer:4711' })
  t.equal(status, 202)
  t.match(json, { keys: 0, receipt: null })
  t.match(headers['location'], /^\/receipts\/\d+-/)
})

test('the usage of the keys of an owner is added up', async t => {
  const made = await world(t)
  const { call } = made
  const one = await issued(made, 'one', { owner: 'customer:4711' })
  const two = await issued(made, 'two', { owner: 'customer:4711', scopes: ['users:read'] })
  for (const { headers } of [one, one, two]) await call('GET', '/apps', undefined, headers)
  await call('GET', '/client_keys/me', undefined, two.headers)
  const { json } = await call('GET', '/client_keys/usage?owner=customer:4711&days=1')
  t.match(json, {
    owner: 'customer:4711',
    days: [{ accepted: 3, requests: { 'apps:read': 2 }, refusals: { insufficient_scope: 1 } }]
  })
  t.same((await call('GET', '/client_keys/usage?owner=nobody')).json, { owner: 'nobody', days: [] })
})

test('the id of all keys is not the id of a key', async t => {
  const { call } = await world(t)
  t.equal((await call('GET', `/client_keys/${ALL_KEYS}`)).status, 404)
})
