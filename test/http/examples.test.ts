import { test } from 'tap'
import type { Test } from 'tap'
import { connect } from '../domain/access/matrix/rows.ts'
import { required, onlyOnSqlite, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { signIn } from '../routes/user.ts'
import { differences, dump, filledIn } from './examples.ts'

/** The rows that the documentation's examples create. The key expires after a day. */
const CREATED: Readonly<Record<string, readonly string[]>> = {
  'POST /client_keys': ['audits +', 'client_key_tokens +', 'client_keys +'],
  'POST /organizations': ['audits +', 'organizations +'],
  'POST /services': ['audits +', 'services +']
}

/** Creates a world with a client key in addition to the sample data. */
const populated = async (t: Test) => {
  const made = await world(t)
  const issued = await made.call('POST', '/client_keys', { name: 'billing-sync' })
  await made.call('POST', '/services', { name: 'orders', scopes: [{ name: 'orders:read' }] })
  const db = await connect(t, made.env.DATABASE_URL)
  return { made, keyId: String(issued.json.id), db }
}

test('sending the examples of every operation unchanged does not change existing resources', onlyOnSqlite, async t => {
  const { made, db } = await populated(t)
  const ada = await signIn(made, 'ada')
  const dmitri = await signIn(made, 'dmitri')
  const senders: readonly [who: string, call: World['call'], created: typeof CREATED][] = [
    ['an unscoped key', made.call, CREATED],
    ['a user', ada, { 'POST /organizations': ['audits +', 'memberships +', 'organizations +'] }],
    ['an administrator', dmitri, { 'POST /organizations': ['audits +', 'memberships +', 'organizations +'] }]
  ]
  const requests = (await filledIn(made)).filter(({ operation }) => operation !== 'DELETE /auth/sign_out')
  t.ok(requests.length > 50)
  let before = await dump(db)
  for (const [who, call, created] of senders) {
    for (const { operation, method, path, query, sent } of requests) {
      const [payload, headers] = sent
      const { status } = await call(method, query === '' ? path : `${path}?${query}`, payload, headers)
      await made.fastify.keyUsage.settle()
      const expected = created[operation] ?? []
      const after = await dump(db)
      const found = differences(before, after)
      before = after
      t.same([...new Set(found)].sort(), expected, `${who}: ${operation}`)
      t.ok(status < 500 && (expected.length === 0 || status === 201), `${who}: ${operation} is ${status}`)
    }
  }
})

test('the resources that the examples create are recognizable, and the key is limited and short-lived', async t => {
  const { call, ...made } = await world(t)
  const requests = await filledIn({ call, ...made })
  const bodyOf = (operation: string): unknown => requests.find(each => each.operation === operation)?.body
  const { json } = await call('POST', '/client_keys', bodyOf('POST /client_keys'))
  t.match(json, { name: 'tried-in-the-docs', scopes: ['apps:read'], rate_limit: { max: 100, window_seconds: 60 } })
  const days = (Date.parse(json.expires_at) - Date.parse(json.created_at)) / 86_400_000
  t.ok(days > 0.9 && days < 1.1)
  t.match(bodyOf('POST /organizations'), { name: 'Created in the documentation' })
})

test('submitting the prefilled form does not change an existing resource', onlyOnSqlite, async t => {
  const { made, keyId, db } = await populated(t)
  const ada = await signIn(made, 'ada')
  const targets: Readonly<Record<string, string>> = {
    '/apps/{name}': '/apps/ba6811fb3e073d',
    '/client_keys/{id}': `/client_keys/${keyId}`,
    '/organizations/{id}': '/organizations/1',
    '/profile': '/profile',
    '/services/{name}': '/services/orders',
    '/users/{id}': '/users/1'
  }
  const updates = (await filledIn(made)).filter(
    ({ method, isBodyEmpty }) => isBodyEmpty && (method === 'PUT' || method === 'PATCH')
  )
  t.same([...new Set(updates.map(({ operation }) => operation.split(' ')[1]))].sort(), Object.keys(targets))
  for (const { operation, method, sent } of updates) {
    const path = String(targets[String(operation.split(' ')[1])])
    const before = await dump(db)
    const [payload, headers] = sent
    const call = path === '/profile' ? ada : made.call
    t.equal((await call(method, path, payload, headers)).status, 200, operation)
    t.same(differences(before, await dump(db)), [], operation)
  }
})

test('a key that is revoked with the prefilled form has no reason in the audit trail', async t => {
  const { made, keyId } = await populated(t)
  const revoke = (await filledIn(made)).find(({ operation }) => operation === 'POST /client_keys/{id}/revoke')
  const [payload, headers] = required(revoke, 'the operation').sent
  const { status, json } = await made.call('POST', `/client_keys/${keyId}/revoke`, payload, headers)
  t.match([status, json], [200, { revoked_reason: null }])
})
