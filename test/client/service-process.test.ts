import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import type { Test } from 'tap'
import { VerifierUnavailable } from '../../exports/verifier.ts'
import { listening, operator, run, world } from '../helper.ts'
import { withServices } from '../introspection.ts'
import { freePort } from '../services.ts'
import { verifierOf } from './service.ts'

/** Starts the service, and creates a verifier for the service orders. */
const prepared = async (t: Test, issuer: 'orders' | 'all' = 'orders') => {
  const made = await world(t)
  const services = await withServices(made)
  const url = `http://127.0.0.1:${await listening(made.fastify)}`
  const verifier = verifierOf(t, url, { keyAccessToken: services[issuer].keyAccessToken })
  const usage = async (id: string) => {
    await made.fastify.keyUsage.flush()
    const counts = await made.fastify.clientKeys.usage(id, 1)
    return counts.flatMap(({ kind, label, count }) => (kind === 'address' ? [] : [`${kind} ${label} ${count}`])).sort()
  }
  return { ...made, ...services, url, verifier, usage }
}

test('a verifier decides as the service does, and its questions are recorded as uses', async t => {
  const { issue, verifier, usage, orders } = await prepared(t)
  const { key, keyAccessToken } = await issue('shop', {
    scopes: ['orders:read', 'ledger:read', 'apps:read'],
    owner: 'customer:4711',
    metadata: { plan: 'gold' },
    expiresAt: new Date('2040-01-01T00:00:00Z')
  })
  t.same(await verifier.verify(keyAccessToken, { scopes: ['orders:read'], address: '203.0.113.7' }), {
    ok: true,
    key: {
      id: key.id,
      name: 'shop',
      scopes: ['orders:read'],
      owner: 'customer:4711',
      metadata: { plan: 'gold' },
      expiresAt: new Date('2040-01-01T00:00:00Z')
    },
    rate: null
  })
  t.match(await verifier.verify(keyAccessToken), { ok: true })
  t.match(await verifier.verify(keyAccessToken, { scopes: ['orders:read', 'orders:refunds:write'] }), {
    ok: false,
    reason: 'insufficient_scope'
  })
  t.same(await usage(key.id), ['refusal insufficient_scope 1', 'scope orders:* 1', 'scope orders:read 1'])
  t.same(await usage(orders.key.id), ['scope tokens:introspect:orders 3'])
})

test('a key with all scopes of the service meets each of them', async t => {
  const { issue, verifier } = await prepared(t)
  const { keyAccessToken } = await issue('shop', { scopes: ['orders:*'] })
  t.match(await verifier.verify(keyAccessToken, { scopes: ['orders:refunds:write'] }), {
    ok: true,
    key: { scopes: ['orders:read', 'orders:refunds:write'] }
  })
})

for (const issuer of ['orders', 'all'] as const) {
  test(`everything else that is wrong is inactive, if the key of the verifier may introspect ${issuer}`, async t => {
    const { issue, verifier, made } = await prepared(t, issuer).then(all => ({ ...all, made: all.fastify }))
    const scopes = ['orders:read']
    const inactive = async (name: string, wanted: object, demand: object = { scopes }): Promise<void> => {
      const { keyAccessToken } = await issue(name, wanted)
      t.same(await verifier.verify(keyAccessToken, demand), { ok: false, reason: 'inactive' }, name)
    }
    await inactive('another address', { scopes, allowedIps: ['203.0.113.7'] }, { scopes, address: '203.0.113.8' })
    await inactive('no address', { scopes, allowedIps: ['203.0.113.7'] })
    await inactive('disabled', { scopes, enabled: false })
    await inactive('another service', { scopes: ['ledger:read'] }, {})
    await inactive('unscoped', {}, {})
    await inactive('a scope that does not exist', { scopes }, { scopes: ['orders:unknown'] })
    const { key, keyAccessToken } = await issue('revoked', { scopes })
    t.match(await verifier.verify(keyAccessToken, { scopes }), { ok: true })
    await made.clientKeys.revoke(key.id, null, operator)
    t.same(await verifier.verify(keyAccessToken, { scopes }), { ok: false, reason: 'inactive' })
    t.same(await verifier.verify('tck_none'), { ok: false, reason: 'inactive' })
  })
}

test('hundreds of calls in one turn with a rate limit: exactly as many as the limit pass', async t => {
  const { issue, verifier } = await prepared(t)
  const { keyAccessToken } = await issue('shop', {
    scopes: ['orders:read'],
    rateLimit: { max: 130, windowSeconds: 3600 }
  })
  const calls = Array.from({ length: 350 }, async () => await verifier.verify(keyAccessToken))
  t.equal((await Promise.all(calls)).filter(({ ok }) => ok).length, 130)
})

test('the key of the verifier needs the scope for its service', async t => {
  const { issue, ledger, caller, url } = await prepared(t)
  const { keyAccessToken } = await issue('shop', { scopes: ['orders:read'] })
  const asking = async (token: string) => await verifierOf(t, url, { keyAccessToken: token }).verify(keyAccessToken)
  t.same(await asking(ledger.keyAccessToken), { ok: false, reason: 'inactive' })
  const none = await caller('asks for nothing', 'apps:read')
  await t.rejects(asking(none.keyAccessToken), { message: /give it the scope tokens:introspect:orders/ })
  await t.rejects(asking('tck_none'), { message: /configure the token of an active key/ })
})

test('a missing scope is only revealed on request, and only to those who can see a scope of the key', async t => {
  const { issue, all, orders, ledger } = await prepared(t)
  const token = (await issue('shop', { scopes: ['orders:read'] })).keyAccessToken
  const missing = { token, scope: 'orders:refunds:write', scope_error: true }
  const bare = { active: false }
  const revealed = { active: false, error: 'insufficient_scope' }
  for (const [requester, entry, expected] of [
    [orders, missing, revealed],
    [all, missing, revealed],
    [orders, { ...missing, scope_error: false }, bare],
    [orders, { ...missing, token: 'tck_none' }, bare],
    [orders, { ...missing, scope: 'orders:refunds:write ledger:read' }, bare],
    [orders, { ...missing, scope: 'ledger:read' }, bare],
    [ledger, { ...missing, scope: 'ledger:read' }, bare],
    [ledger, missing, bare],
    [orders, { token, scope_error: true, ip: '203.0.113.7', ref: 'x' }, { active: true, ref: 'x' }],
    [orders, { token: 'tck_none', ref: 'x' }, { active: false, ref: 'x' }]
  ] as const) {
    const { status, json } = await requester.batch([entry])
    t.equal(status, 200)
    const shown = json[0].active ? { active: true, ref: json[0].ref } : json[0]
    t.same(shown, expected, JSON.stringify({ ...entry, token: '' }))
  }
  t.equal(
    (await orders.ask(token, { scope: 'orders:refunds:write', scope_error: 'true', ref: 'x' })).text,
    '{"active":false}'
  )
  t.equal((await orders.batch([{ token, ref: 'x'.repeat(101) }])).status, 422)
})

test('a service process that is killed during a request causes an error, and the next one accepts calls', async t => {
  const made = await world(t)
  const { issue, orders } = await withServices(made)
  const { keyAccessToken } = await issue('shop', { scopes: ['orders:read'] })
  const port = await freePort()
  const start = async () => {
    const started = run(t, 'server.ts', { env: { ...made.env, LOG_LEVEL: 'info', PORT: String(port) } })
    await started.prints('Server listening')
    return started
  }
  const first = await start()
  const { verify } = verifierOf(t, `http://127.0.0.1:${port}`, {
    keyAccessToken: orders.keyAccessToken,
    timeoutMs: 60_000
  })
  t.match(await verify(keyAccessToken), { ok: true })
  first.process.kill('SIGSTOP')
  const call = verify(keyAccessToken)
  const failed = t.rejects(call, VerifierUnavailable)
  // The batch is sent at the end of this turn.
  await setImmediate()
  first.process.kill('SIGKILL')
  await failed
  await start()
  t.match(await verify(keyAccessToken), { ok: true })
})
