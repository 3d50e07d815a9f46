import { test } from 'tap'
import type { Count } from '../../../../domain/counters.ts'
import { createMemoryStore } from '../../../../db/memory/store.ts'
import { createKeyService, verifierOf } from '../../../../domain/keys/service.ts'
import type { KeyService, KeyServiceOptions } from '../../../../domain/keys/service.ts'
import { createClientKeys } from '../../../../domain/keys/client-keys.ts'
import { createTokenSealer, issueClientKey } from '../../../../domain/keys/token/token.ts'
import { createUsageRecorder } from '../../../../domain/keys/usage/recorder.ts'
import type { UsageRecorder } from '../../../../domain/keys/usage/recorder.ts'
import { createUsageWriter } from '../../../../domain/keys/usage/writer.ts'
import { legacySigner, newSecret, operator } from '../../../helper.ts'

type Issue = (policy?: Omit<Parameters<KeyService['issue']>[0], 'name'>) => Promise<{ id: string; token: string }>

interface Fixture {
  readonly keys: KeyService
  readonly issue: Issue
  /** Returns a key's recorded usage. */
  readonly usage: (id: string) => Promise<string[]>
}

const createFixture = (options: Partial<KeyServiceOptions> = {}): Fixture => {
  const store = createMemoryStore()
  const recorder: UsageRecorder = createUsageRecorder({ write: createUsageWriter(store), onFailure: () => {} })
  const keys = createKeyService({
    store,
    keyLookup: store.keyLookup,
    secret: newSecret(),
    usage: recorder,
    ...options
  })
  let count = 0
  return {
    keys,
    issue: async policy => {
      const { key, keyAccessToken } = await keys.issue({ name: `k${++count}`, ...policy }, operator)
      return { id: key.id, token: keyAccessToken }
    },
    usage: async id => {
      await recorder.flush()
      return (await keys.usage(id, 1)).map(({ kind, label, count }) => `${kind} ${label} ${count}`)
    }
  }
}

test('a key with all required scopes is accepted, and its use is recorded', async t => {
  const { keys, issue, usage } = createFixture()
  const { id, token } = await issue({ scopes: ['apps:read', 'apps:write'] })
  const demand = { scopes: ['apps:read', 'apps:write'], address: '::ffff:10.0.0.1', userAgent: 'x/1' }
  t.match(await keys.verify(token, demand), { ok: true, key: { id }, token: { key: { id } }, rate: null })
  t.match(
    await keys.verify(token, { scopes: [] }),
    { ok: true },
    'without a required scope, any active key is accepted'
  )
  t.same(await usage(id), ['address 10.0.0.1 1', 'address unknown 1', 'scope apps:read 1', 'scope apps:write 1'])
})

test('each reason for refusing a key is reported and recorded', async t => {
  const { keys, issue, usage } = createFixture()
  const { id, token } = await issue({ scopes: ['apps:read'], allowedIps: ['10.0.0.0/8', '2001:db8::/32'] })
  const inside = { scopes: [], address: '10.0.0.1' }
  t.match(await keys.verify(token, inside), { ok: true })
  for (const address of ['2001:db8::1', '[2001:db8::1]:80', '10.0.0.1:80']) {
    t.match(await keys.verify(token, { ...inside, address }), { ok: true }, address)
  }
  const outside = [undefined, '', '11.0.0.1', 'unknown', '11.0.0.1:80', '::1', '010.0.0.1']
  for (const address of outside) {
    t.match(
      await keys.verify(token, { scopes: [], address }),
      { ok: false, reason: 'address_not_allowed' },
      String(address)
    )
  }
  for (const scopes of [['apps:write'], ['apps:read', 'apps:write'], ['*'], ['none'], ['']]) {
    const refused = { ok: false, reason: 'insufficient_scope', token: { key: { id } } }
    t.match(await keys.verify(token, { ...inside, scopes }), refused)
  }
  t.match(await keys.verify(token, { ...inside, refusal: 'maintenance' }), { ok: false, reason: 'maintenance' })
  await keys.change(id, { enabled: false }, operator)
  t.match(await keys.verify(token, inside), { ok: false, reason: 'key_disabled' })
  t.same(await usage(id), [
    'address 10.0.0.1 2',
    'address 2001:db8::1 2',
    `refusal address_not_allowed ${outside.length}`,
    'refusal insufficient_scope 5',
    'refusal key_disabled 1',
    'refusal maintenance 1'
  ])
  for (const bad of ['', 'x', 'tck_', token.slice(0, -1), '__proto__', `${token} `]) {
    t.match(await keys.verify(bad, inside), { ok: false, reason: /malformed|bad_checksum/ })
  }
})

test('an unscoped key has every scope', async t => {
  const { keys, issue } = createFixture()
  const { token } = await issue()
  t.match(await keys.verify(token, { scopes: ['apps:read', 'other:scope'] }), { ok: true })
})

test('the rate limit determines how many concurrent requests are accepted, and only those count as uses', async t => {
  const { keys, issue, usage } = createFixture()
  const { id, token } = await issue({ rateLimit: { max: 10, windowSeconds: 3600 } })
  const verdicts = await Promise.all(
    Array.from({ length: 25 }, async () => await keys.verify(token, { scopes: ['apps:read'], address: '10.0.0.1' }))
  )
  const accepted = verdicts.filter(({ ok }) => ok)
  t.equal(accepted.length, 10)
  t.same(
    accepted.map(({ rate }) => rate?.remaining),
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
  )
  t.match(verdicts[24], {
    ok: false,
    reason: 'rate_limited',
    rate: { max: 10, windowSeconds: 3600, remaining: 0, resetSeconds: 3600 }
  })
  t.match(
    await keys.verify(token, { scopes: ['apps:read'], refusal: 'maintenance' }),
    { reason: 'maintenance' },
    'requests that are refused for another reason do not count towards the limit'
  )
  t.same(await usage(id), [
    'address 10.0.0.1 10',
    'refusal rate_limited 15',
    'refusal maintenance 1',
    'scope apps:read 10'
  ])
})

test('a recheck does not count as a request, and only refusals are recorded', async t => {
  const { keys, issue, usage } = createFixture()
  const { id, token } = await issue({ rateLimit: { max: 1, windowSeconds: 3600 } })
  for (let i = 0; i < 3; i++) t.match(await keys.recheck(token, { scopes: ['apps:read'] }), { ok: true })
  t.match(await keys.verify(token, { scopes: [] }), { ok: true })
  await keys.revoke(id, null, operator)
  t.match(await keys.recheck(token, { scopes: [] }), { ok: false, reason: 'key_revoked' })
  t.same(await usage(id), ['address unknown 1', 'refusal key_revoked 1'])
})

test("a request is refused with the cause if its rate limit can't be checked", async t => {
  const cause = new Error('the counters are unreachable')
  const { keys, issue, usage } = createFixture({
    counters: {
      hit: async () => {
        throw cause
      }
    }
  })
  const { id, token } = await issue({ rateLimit: { max: 1, windowSeconds: 60 } })
  t.match(await keys.verify(token, { scopes: [] }), { ok: false, reason: 'limit_undecided', cause })
  t.same(await usage(id), ['refusal limit_undecided 1'])
})

test('if the store fails, verify rejects and accepts nothing', async t => {
  const { keyLookup } = createMemoryStore()
  const failing = {
    ...keyLookup,
    barrier: async () => {
      throw new Error('the store is unreachable')
    }
  }
  const { keys, issue } = createFixture({ keyLookup: failing })
  const { token } = await issue()
  await t.rejects(keys.verify(token, { scopes: [] }), { message: 'the store is unreachable' })
})

test('verify accepts legacy tokens if they are enabled', async t => {
  const secret = newSecret()
  const sign = legacySigner(secret)
  const settings = { secret, allowList: ['another-key'] }
  const accepting = createFixture({ ...settings, acceptLegacyTokens: true }).keys
  const legacy = sign({ key_id: 'another-key' })
  t.match(await accepting.verify(legacy, { scopes: [] }), { ok: true, key: { source: 'environment' } })
  t.match(await accepting.inspect(legacy), { allowed: true, wellFormed: true, secret: 'current' })
  t.match(await createFixture(settings).keys.verify(legacy, { scopes: [] }), { ok: false, reason: 'malformed' })
  const standalone = createClientKeys({ store: createMemoryStore(), scopes: [], ...settings, acceptLegacyTokens: true })
  t.match(await standalone.verify(legacy, { scopes: [] }), { ok: true })
})

test('an environment key of the standalone service is accepted until it is revoked', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  const keys = createClientKeys({ store: createMemoryStore(), scopes: ['reports:read'], secret, allowList: [keyId] })
  const verdict = await keys.verify(keyAccessToken, { scopes: ['reports:read'] })
  t.match(verdict, { ok: true, key: { source: 'environment' } })
  if (verdict.ok) await keys.revoke(verdict.key.id)
  t.match(await keys.verify(keyAccessToken, { scopes: [] }), { ok: false, reason: 'key_revoked' })
})

test('if an untyped program omits or misspells options, nothing is accepted', async t => {
  const keys = createClientKeys({ store: createMemoryStore(), scopes: ['reports:read'], secret: newSecret() })
  const { keyAccessToken } = await keys.issue({ name: 'ledger' })
  const { verify } = keys as unknown as { verify: (token: unknown, demand: unknown) => Promise<unknown> }
  const wrong = [{}, { scopes: 'reports:read' }, { scopes: '' }, { scopes: ['reports:reed'] }, { scopes: ['*'] }]
  for (const demand of wrong) {
    await t.rejects(verify(keyAccessToken, demand), { message: /^scopes must be an array of scopes of the service/ })
  }
  for (const token of [undefined, null, 5, {}, [keyAccessToken]]) {
    t.match(await verify(token, { scopes: [] }), { ok: false, reason: 'malformed' })
  }
})

test('values that are not strings are neither recorded nor used as a reason, and other uses are still stored', async t => {
  const keys = createClientKeys({ store: createMemoryStore(), scopes: ['reports:read'], secret: newSecret() })
  const { key, keyAccessToken } = await keys.issue({ name: 'ledger' })
  const { verify } = keys as unknown as { verify: (token: unknown, demand: unknown) => Promise<unknown> }
  for (const odd of [null, 5, {}, []]) {
    t.match(await verify(keyAccessToken, { scopes: [], userAgent: odd, address: odd }), { ok: true })
    await t.rejects(verify(keyAccessToken, { scopes: [], refusal: odd }), {
      message: /^refusal must be a non-empty string/
    })
  }
  await t.rejects(verify(keyAccessToken, { scopes: [], refusal: '' }), {
    message: /^refusal must be a non-empty string/
  })
  t.match(await keys.usage(key.id), [{ kind: 'address', label: 'unknown', count: 4 }])
  t.match(await keys.tokens(key.id), [{ useCount: 4, lastUsedAgent: null }])
  await t.rejects(keys.tokens('nothing'), { code: 'CLIENT_KEY_NOT_FOUND' })
})

test('a request is refused if the counters return no count', async t => {
  const nonsense = [
    { hits: NaN, ttlMs: 1 },
    { hits: 0, ttlMs: 1 },
    { hits: -1, ttlMs: 1 },
    { hits: '1', ttlMs: 1 }
  ]
  for (const count of [...nonsense, { hits: 1, ttlMs: NaN }, { hits: 1, ttlMs: Infinity }, {}, [1, 1000]]) {
    const { keys, issue } = createFixture({ counters: { hit: async () => count as Count } })
    const { token } = await issue({ rateLimit: { max: 10, windowSeconds: 60 } })
    t.match(await keys.verify(token, { scopes: [] }), { ok: false, reason: 'limit_undecided' }, JSON.stringify(count))
  }
})

test('changing a verdict does not give the key more permissions in later requests', async t => {
  const { keys, issue } = createFixture()
  const { token } = await issue({ scopes: ['apps:read'] })
  for (let time = 0; time < 2; time++) {
    const verdict = await keys.verify(token, { scopes: ['apps:read'] })
    if (!verdict.ok) throw new Error(verdict.reason)
    const key = verdict.key as unknown as { scopes: string[]; enabled: boolean }
    t.throws(() => key.scopes.push('*'))
    t.throws(() => {
      key.enabled = false
    })
  }
  t.match(await keys.verify(token, { scopes: ['apps:write'] }), { ok: false, reason: 'insufficient_scope' })
})

test('a short secret and an invalid cache size are rejected when the verifier is created', t => {
  const short = /must be a string of at least 32 characters$/
  const secret = newSecret()
  for (const wrong of ['x', '', undefined]) {
    t.throws(() => verifierOf({ secret: wrong as string }), { message: short })
    t.throws(() => verifierOf({ secret, previousSecrets: [wrong as string] }), { message: short })
  }
  for (const cacheSize of [0, -1, 1.5, NaN]) {
    t.throws(() => verifierOf({ secret, cacheSize }), { message: 'cacheSize must be a positive integer' })
  }
  t.end()
})
