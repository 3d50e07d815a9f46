import { test } from 'tap'
import type { Test } from 'tap'
import { openStores } from '../../db/open.ts'
import { createEvidence } from '../../domain/keys/evidence.ts'
import type { Evidence } from '../../domain/keys/evidence.ts'
import { createKeyRegistry } from '../../domain/keys/registry.ts'
import type { KeyRegistry } from '../../domain/keys/registry.ts'
import type { ClientKeyStore } from '../../domain/keys/store.ts'
import { createTokenSealer, digestOf } from '../../domain/keys/token.ts'
import { at, knownToken, newSecret, settings } from '../helper.ts'

const author = {
  origin: { actor: { kind: 'cli', id: '0', name: 'tester' }, address: null, requestId: null },
  token: null
} as const

interface Side {
  store: ClientKeyStore
  keys: KeyRegistry
  evidence: Evidence
  secret: string
}

/** What every store of keys must do, whatever the engine. `open` opens a new, empty one. */
const contract = (engine: string, open: (t: Test) => Side): void => {
  test(`${engine}: counts of use add up, and the newest use is the last`, async t => {
    const { store, keys, evidence } = open(t)
    const { key, keyId } = await keys.issue({ name: 'k' }, author)
    const token = await store.findByDigest(digestOf(keyId))
    if (token === null) throw new Error('the token is not there')
    for (const address of ['10.0.0.1', '10.0.0.2']) {
      evidence.used(token, 'apps:read', address, 'agent')
      await evidence.flush()
    }
    t.match(await keys.tokens(key.id), [{ useCount: 2, lastUsedIp: '10.0.0.2', lastUsedAgent: 'agent' }])
    const { lastUsedAt } = at(await keys.tokens(key.id))
    await store.recordUses('2026-01-01', [
      {
        token,
        count: 5,
        lastAt: Date.parse('2026-01-01'),
        lastIp: '10.0.0.9',
        lastAgent: 'late',
        scopes: new Map(),
        addresses: new Map(),
        refusals: new Map()
      }
    ])
    t.match(
      await keys.tokens(key.id),
      [{ useCount: 7, lastUsedIp: '10.0.0.2', lastUsedAgent: 'agent', lastUsedAt }],
      'what arrives late is no later use'
    )
  })

  test(`${engine}: a hundred addresses a day are told apart, over all writes`, async t => {
    const { store, evidence } = open(t)
    const token = knownToken({ id: 'env_0', source: 'environment' })
    for (let batch = 0; batch < 4; batch++) {
      for (let i = 0; i < 40; i++) evidence.used(token, null, `10.0.${batch}.${i}`, undefined)
      await evidence.flush()
    }
    evidence.used(token, null, '10.0.0.0', undefined)
    await evidence.flush()
    const counts = await store.usage('env_0', '2026-01-01')
    t.equal(counts.length, 101)
    t.match(
      counts.find(({ label }) => label === '*'),
      { kind: 'address', count: 60 }
    )
    t.match(
      counts.find(({ label }) => label === '10.0.0.0'),
      { count: 2 }
    )
  })

  test(`${engine}: counts are kept for 90 days`, async t => {
    const { store } = open(t)
    const use = {
      token: knownToken({ id: 'env_0' }),
      count: 0,
      lastAt: 0,
      lastIp: '',
      lastAgent: undefined,
      scopes: new Map([['apps:read', 1]]),
      addresses: new Map<string, number>(),
      refusals: new Map<string, number>()
    }
    for (const day of ['2026-01-01', '2026-01-02', '2026-03-31']) await store.recordUses(day, [use])
    t.same(
      (await store.usage('env_0', '2025-01-01')).map(({ day }) => day),
      ['2026-01-01', '2026-01-02', '2026-03-31'].slice(0)
    )
    await store.recordUses('2026-04-01', [use])
    t.same(
      (await store.usage('env_0', '2025-01-01')).map(({ day }) => day),
      ['2026-01-02', '2026-03-31', '2026-04-01']
    )
  })

  test(`${engine}: generations are counted, and those that nobody can open are found`, async t => {
    const { keys, store, secret } = open(t)
    const [first, second] = [newSecret(), newSecret()]
    const under = (own: string) =>
      createKeyRegistry({ store, sealer: createTokenSealer(own), secrets: [own], allowList: [] })
    const one = await under(first).issue({ name: 'one' }, author)
    await under(second).issue({ name: 'two', expiresAt: new Date(Date.now() + 60_000) }, author)
    t.same((await keys.orphans()).length, 2)
    t.match(await keys.secrets(), [
      { secret: 'CLIENT_SECRET', use: { generation: createTokenSealer(secret).generation, liveTokens: 0 } },
      { secret: null, use: { liveTokens: 1 } },
      { secret: null, use: { liveTokens: 1 } }
    ])
    await keys.revoke(one.key.id, null, author)
    t.same(await keys.orphans(), [createTokenSealer(second).generation])
    t.equal((await keys.secrets()).length, 2, 'what no good token depends on is not shown')
  })
}

contract('SQLite', t => {
  const { env, secret } = settings(t)
  const stores = openStores(env['DATABASE_URL'])
  t.teardown(() => {
    stores.close()
  })
  const store = stores.clientKeys
  return {
    store,
    secret,
    keys: createKeyRegistry({ store, sealer: createTokenSealer(secret), secrets: [secret], allowList: [] }),
    evidence: createEvidence({
      write: store.recordUses,
      onFailure: error => {
        t.error(error)
      }
    })
  }
})
