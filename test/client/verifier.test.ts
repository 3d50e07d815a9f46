import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { createVerifier, VerifierUnavailable } from '../../exports/verifier.ts'
import type { VerifierOptions } from '../../exports/verifier.ts'
import { active, INACTIVE, introspectionServer, TOKEN, verifierOf } from './service.ts'

test('an accepted key has its id, name, scopes, owner, metadata and expiry', async t => {
  const { url, received } = await introspectionServer(t, () =>
    active({
      owner: 'customer:4711',
      metadata: { plan: 'gold' },
      exp: 1_900_000_000,
      scope: 'billing:read orders:read'
    })
  )
  const { verify, service } = verifierOf(t, `${url}/keys/`)
  t.equal(service, 'orders')
  const verdict = await verify('good', { scopes: ['orders:read'], address: '203.0.113.7' })
  t.same(verdict, {
    ok: true,
    key: {
      id: 'id-1',
      name: 'ledger',
      scopes: ['orders:read'],
      owner: 'customer:4711',
      metadata: { plan: 'gold' },
      expiresAt: new Date('2030-03-17T17:46:40Z')
    },
    rate: null
  })
  t.match(received, [
    {
      entries: [{ token: 'good', scope: 'orders:read', scope_error: true, ip: '203.0.113.7' }],
      request: {
        method: 'POST',
        url: '/keys/introspect/batch',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
      }
    }
  ])
})

test('optional members of a verdict can be omitted', async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const verdict = await verifierOf(t, url).verify('good')
  t.match(verdict, { ok: true, key: { owner: null, metadata: {}, expiresAt: null } })
  t.same(received[0]?.entries, [{ token: 'good' }])
})

test('an inactive token is refused, and so is a key without a scope of the service', async t => {
  const verdicts: Record<string, object> = {
    revoked: INACTIVE,
    billing: active({ scope: 'billing:read ordersx:read' }),
    none: active({ scope: undefined })
  }
  const { url } = await introspectionServer(t, ({ token }) => verdicts[token])
  const { verify } = verifierOf(t, url)
  for (const token of Object.keys(verdicts)) {
    t.same(await verify(token), { ok: false, reason: 'inactive' }, token)
  }
})

test('a missing scope is reported, even by a service that ignores the demanded scopes', async t => {
  const { url } = await introspectionServer(t, ({ token }) =>
    token === 'ignored' ? active({ scope: 'orders:read' }) : { active: false, error: 'insufficient_scope' }
  )
  const { verify } = verifierOf(t, url)
  for (const token of ['reported', 'ignored']) {
    t.same(await verify(token, { scopes: ['orders:read', 'orders:write'] }), {
      ok: false,
      reason: 'insufficient_scope'
    })
  }
})

test('all calls of a turn are sent together, at most 100 in a request, and each gets its own verdict', async t => {
  const { url, received } = await introspectionServer(t, ({ token }) =>
    Number(token) % 3 === 0 ? INACTIVE : active({ client_id: token })
  )
  const { verify } = verifierOf(t, url)
  const verdicts = await Promise.all(Array.from({ length: 250 }, async (_, index) => await verify(String(index))))
  t.same(received.map(({ entries }) => entries.length).sort(), [100, 100, 50])
  for (const [index, verdict] of verdicts.entries()) {
    t.equal(verdict.ok ? verdict.key.id : verdict.reason, index % 3 === 0 ? 'inactive' : String(index))
  }
})

test('equal calls of a turn are sent separately, because each is a use', async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const { verify } = verifierOf(t, url)
  await Promise.all([verify('good'), verify('good')])
  t.same(
    received.map(({ entries }) => entries),
    [[{ token: 'good' }, { token: 'good' }]]
  )
})

test('nothing is remembered: a revoked key is refused by the next call', async t => {
  let verdict = active()
  const { url } = await introspectionServer(t, () => verdict)
  const { verify } = verifierOf(t, url)
  t.match(await verify('good'), { ok: true })
  verdict = INACTIVE
  t.match(await verify('good'), { ok: false, reason: 'inactive' })
})

test('a call never joins a batch that has been sent', async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const { verify } = verifierOf(t, url)
  const first = verify('first')
  await setImmediate()
  await setImmediate()
  await Promise.all([first, verify('second')])
  t.same(received.map(({ entries }) => entries.map(({ token }) => token)).sort(), [['first'], ['second']])
})

test('calls share a connection, one after another', async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const { verify } = verifierOf(t, url)
  for (let count = 0; count < 3; count++) await verify('good')
  t.equal(new Set(received.map(({ request }) => request.socket.remotePort)).size, 1)
})

test('text that is no token is refused without a request, so that it spoils no batch', async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const { verify } = verifierOf(t, url)
  const noTokens = [undefined, null, 7, '', 'a b', 'a\0', 'é', '\ud800', 'a=b', 'x'.repeat(4097)] as string[]
  for (const token of noTokens) t.same(await verify(token), { ok: false, reason: 'inactive' })
  t.equal(received.length, 0)
  t.match(await verify('x'.repeat(4096)), { ok: true })
})

test('only addresses are sent, without port, brackets and zone', async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const { verify } = verifierOf(t, url)
  for (const [address, ip] of [
    ['203.0.113.7:51234', '203.0.113.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
    ['unknown', undefined],
    ['', undefined],
    [7, undefined],
    [undefined, undefined]
  ] as [string | undefined, string?][]) {
    await verify('good', { address })
    t.equal(received.at(-1)?.entries[0]?.ip, ip, String(address))
  }
})

test("your own reason to refuse a request needs no reply, because it doesn't depend on the key", async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const { verify } = verifierOf(t, url)
  t.same(await verify('good', { refusal: 'maintenance' }), { ok: false, reason: 'maintenance' })
  t.equal(received.length, 0)
})

test('scopes of other services, wildcards and typing errors are errors of the program', async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const { verify } = verifierOf(t, url)
  const wrong = ['orders:read', null, [null], ['orders'], ['orders:*'], ['*'], ['billing:read'], ['orders:a b']]
  for (const scopes of wrong as string[][]) {
    await t.rejects(verify('good', { scopes }), { name: 'TypeError', message: /^scopes must be/ }, String(scopes))
  }
  t.equal(received.length, 0)
})

test('an invalid option is refused, without its value', async t => {
  const good = { url: 'https://keys.example.com', keyAccessToken: 'tck_x', service: 'orders' }
  for (const [options, message] of [
    [{ url: 'ftp://x' }, /url must begin/],
    [{ url: 'keys.example.com' }, /url must begin/],
    [{ url: undefined }, /url must begin/],
    [{ url: 'https://me@x' }, /url must not contain/],
    [{ url: 'https://:hunter2@x' }, /url must not contain/],
    [{ url: 'https://x/?a=hunter2' }, /url must not contain/],
    [{ url: 'https://x/#hunter2' }, /url must not contain/],
    [{ keyAccessToken: undefined }, /keyAccessToken must be/],
    [{ keyAccessToken: '' }, /keyAccessToken must be/],
    [{ keyAccessToken: 'hunter2\n' }, /keyAccessToken must be/],
    [{ service: undefined }, /service must be/],
    [{ service: 'Orders' }, /service must be/],
    [{ timeoutMs: 0 }, /timeoutMs must be/],
    [{ timeoutMs: 1.5 }, /timeoutMs must be/],
    [{ timeoutMs: 60_001 }, /timeoutMs must be/]
  ] as [Partial<VerifierOptions>, RegExp][]) {
    const create = (): unknown => createVerifier({ ...good, ...options })
    t.throws(create, { name: 'TypeError', message })
    t.throws(create, { message: /^((?!hunter2).)*$/ })
  }
  await createVerifier(good).close()
})

test('plain HTTP is accepted, with a warning unless the service is on the same machine', async t => {
  const warned: unknown[] = []
  t.intercept(process, 'emitWarning', {
    value: (_text: string, { code }: { code: string }) => {
      warned.push(code)
    }
  })
  for (const url of ['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'https://keys.example.com']) {
    verifierOf(t, url)
    t.same(warned, [], url)
  }
  for (const url of ['http://trivial-api:3000', 'http://127.example.com', 'http://localhost.example.com']) {
    verifierOf(t, url)
    t.same(warned.splice(0), ['TRIVIAL_VERIFIER_HTTP'], url)
  }
})

test('a closed verifier finishes the calls that it has received, and refuses others', async t => {
  const { url, received } = await introspectionServer(t, () => active())
  const verifier = createVerifier({ url, keyAccessToken: TOKEN, service: 'orders' })
  const call = verifier.verify('good')
  const closed = verifier.close()
  await t.rejects(verifier.verify('good'), VerifierUnavailable)
  t.match(await call, { ok: true })
  await closed
  await verifier.close()
  t.equal(received.length, 1)
})
