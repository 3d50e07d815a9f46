import { isDeepStrictEqual } from 'node:util'
import { test } from 'tap'
import type { Test } from 'tap'
import type { KeyReads, KeyRows, NewClientKey, RevokedKeys, UsageCount } from '../../domain/keys/rows.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { createTokenSealer, digestOf } from '../../domain/keys/token/token.ts'
import { UNLIMITED } from '../../domain/keys/client-key.ts'
import type { Policy } from '../../domain/keys/client-key.ts'
import { createUsageWriter } from '../../domain/keys/usage/writer.ts'
import { createUsageRecorder } from '../../domain/keys/usage/recorder.ts'
import type { UsageRecorder } from '../../domain/keys/usage/recorder.ts'
import { at, knownToken, newSecret, operator } from '../helper.ts'
import type { KeyStore } from '../../domain/keys/store.ts'

const AT = new Date('2026-02-01T00:00:00.000Z')
const LATER = new Date('2026-03-01T00:00:00.000Z')

const newKey = (change: Partial<NewClientKey> = {}): NewClientKey => ({
  ...UNLIMITED,
  id: '01a2066d-3476-7372-8db9-16a6d6350f30',
  name: 'billing-sync',
  source: 'managed',
  enabled: true,
  description: null,
  owner: null,
  metadata: {},
  createdAt: AT,
  createdBy: operator.actor,
  revokedAt: null,
  revokedReason: null,
  lastUsedAt: null,
  ...change
})

/** More keys than an engine reads or writes at once. */
const MANY = 1001

/** Returns the policy of a key, without its other fields. */
const onlyPolicy = ({ scopes, expiresAt, allowedIps, rateLimit }: Policy): Policy => ({
  scopes,
  expiresAt,
  allowedIps,
  rateLimit
})

/** Returns a digest that doesn't belong to a real token. */
const digest = (digit: number | string): string => String(digit).repeat(64).slice(0, 64)

const newToken = (digit: number | string) => ({ digest: digest(digit), generation: '0a0b0c0d', hint: 'abcd' })

interface Fixture {
  read: <T>(work: (keys: KeyReads) => Promise<T>) => Promise<T>
  write: <T>(work: (keys: KeyRows) => Promise<T>) => Promise<T>
  store: KeyStore
  secret: string
  keys: KeyService
  usage: UsageRecorder
}

const createFixture = (t: Test, store: KeyStore): Fixture => {
  const secret = newSecret()
  return {
    read: async work => await store.read(async ({ keys }) => await work(keys)),
    write: async work => await store.write(async ({ keys }) => await work(keys)),
    store,
    secret,
    keys: createKeyService({ store, secret }),
    usage: createUsageRecorder({
      write: createUsageWriter(store),
      onFailure: error => {
        t.error(error)
      }
    })
  }
}

/** Defines the tests that `KeyStore` must pass on every engine. `open` opens a new, empty store. */
export const keyRowsContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  keysContract(engine, open)
  ownersContract(engine, open)
  revisionContract(engine, open)
  unusedContract(engine, open)
  tokensContract(engine, open)
  idempotencyContract(engine, open)
  secretsContract(engine, open)
  usageContract(engine, open)
  generationsContract(engine, open)
}

const keysContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: a key is read as it was stored, and an update changes only the specified fields`, async t => {
    const { read, write } = createFixture(t, await open(t))
    const key = newKey({
      scopes: ['apps:read'],
      expiresAt: LATER,
      enabled: false,
      allowedIps: ['10.0.0.0/8'],
      rateLimit: { max: 5, windowSeconds: 60 },
      description: 'a key',
      owner: 'customer:4711',
      metadata: { team: 'billing' }
    })
    await write(async keys => {
      await keys.insert(key)
    })
    t.same(await read(async keys => await keys.find(key.id)), key)
    t.same(await read(async keys => await keys.findByName(key.name)), key)
    t.equal(await read(async keys => await keys.find('nothing')), null)
    t.equal(await read(async keys => await keys.find('\0')), null)
    t.equal(await read(async keys => await keys.findByName('nothing')), null)
    await write(async keys => {
      await keys.update(key.id, { description: null, rateLimit: null })
    })
    t.same(await read(async keys => await keys.find(key.id)), { ...key, description: null, rateLimit: null })
    await write(async keys => {
      await keys.update(key.id, {
        owner: null,
        metadata: {},
        expiresAt: null,
        rateLimit: { max: 1, windowSeconds: 1 },
        allowedIps: []
      })
    })
    t.match(await read(async keys => await keys.find(key.id)), {
      owner: null,
      metadata: {},
      expiresAt: null,
      rateLimit: { max: 1, windowSeconds: 1 },
      allowedIps: []
    })
  })

  test(`${engine}: a failed transaction's writes are rolled back, and readers never see them`, async t => {
    const { read, write, store } = createFixture(t, await open(t))
    const failure = new Error('the transaction failed')
    await t.rejects(
      write(async keys => {
        await keys.insert(newKey())
        t.equal(await read(async outside => await outside.find(newKey().id)).catch(() => null), null)
        throw failure
      }),
      failure
    )
    t.equal(await read(async keys => await keys.find(newKey().id)), null)
    const many = Array.from({ length: 20 }, async (_, index) => {
      await store.write(async ({ keys }) => {
        await keys.insert(newKey({ id: `key ${index}`, name: `key ${index}` }))
        if (index % 2 === 0) throw failure
      })
    })
    t.equal((await Promise.allSettled(many)).filter(({ status }) => status === 'fulfilled').length, 10)
    t.equal((await read(async keys => await keys.page({}, { limit: 100, at: AT }))).length, 10)
  })

  test(`${engine}: a revoked key keeps its row, but its name becomes available`, async t => {
    const { read, write } = createFixture(t, await open(t))
    const { id, name } = newKey()
    await write(async keys => {
      await keys.insert(newKey())
      await keys.revoke(id, { at: LATER, reason: 'leaked' })
    })
    t.match(await read(async keys => await keys.find(id)), { revokedAt: LATER, revokedReason: 'leaked' })
    t.equal(await read(async keys => await keys.findByName(name)), null)
    await write(async keys => {
      await keys.insert(newKey({ id: 'another' }))
    })
    t.match(await read(async keys => await keys.findByName(name)), { id: 'another' })
  })

  test(`${engine}: the revocation of an environment key is stored`, async t => {
    const { read, write } = createFixture(t, await open(t))
    t.equal(await read(async keys => await keys.findRevocation(digest(1))), null)
    await write(async keys => {
      await keys.revokeEnvironmentKey(digest(1), { at: AT, reason: 'first' })
    })
    t.same(await read(async keys => await keys.findRevocation(digest(1))), AT)
    t.same(await read(async keys => await keys.environmentRecord({ id: 'env_1', digest: digest(1) })), {
      revokedAt: AT,
      revokedReason: 'first',
      tokens: []
    })
  })

  test(`${engine}: a page contains the keys that match every filter, sorted by id`, async t => {
    const { read, write } = createFixture(t, await open(t))
    await write(async keys => {
      await keys.insert(newKey({ id: 'a', name: 'sync one', scopes: ['apps:read'] }))
      await keys.insert(newKey({ id: 'b', name: 'sync two', owner: 'customer:1', enabled: false }))
      await keys.insert(newKey({ id: 'c', name: 'Sync', expiresAt: LATER }))
      await keys.insert(newKey({ id: 'd', name: 'other', owner: 'customer:1', createdAt: LATER }))
      await keys.revoke('d', { at: LATER, reason: null })
      await keys.insertToken('a', newToken(1), AT)
    })
    const ids = async (filter: Parameters<KeyReads['page']>[0], limit = 10, after?: string) =>
      (await read(async keys => await keys.page(filter, { limit, after, at: AT }))).map(({ id }) => id)
    t.same(await ids({}), ['a', 'b', 'c', 'd'])
    t.same(await ids({}, 2), ['a', 'b'])
    t.same(await ids({}, 2, 'b'), ['c', 'd'])
    t.same(await ids({ enabled: false }), ['b'])
    t.same(await ids({ enabled: true, revoked: false }), ['a', 'c'])
    t.same(await ids({ revoked: true }), ['d'])
    t.same(await ids({ expiresBefore: new Date(LATER.getTime() + 1) }), ['c'])
    t.same(await ids({ expiresBefore: LATER }), [])
    t.same(await ids({ unusedSince: LATER }), ['a', 'b', 'c'])
    t.same(await ids({ namePrefix: 'sync' }), ['a', 'b'], 'prefixes are case-sensitive')
    t.same(await ids({ owner: 'customer:1' }), ['b', 'd'])
    t.same(await ids({ owner: 'customer:1' }, 1, 'b'), ['d'])
    t.same(await ids({ owner: 'customer:1', revoked: false }), ['b'])
    t.same(await ids({ owner: 'customer:' }), [], 'the whole owner is compared')
    t.same(await ids({ scope: 'apps:read' }), ['a', 'b', 'c', 'd'], 'an unscoped key has every scope')
    t.same(await ids({ scope: '*' }), ['b', 'c', 'd'])
    t.same(await ids({ anyOfScopes: ['apps:read', 'orders:read'] }), ['a'])
    t.same(await ids({ anyOfScopes: ['orders:read', '*'] }), ['b', 'c', 'd'])
    t.same(await ids({ anyOfScopes: ['orders:read'] }), [])
    t.same(await ids({ generation: '0a0b0c0d' }), ['a'])
    t.same(await ids({ generation: '00000000' }), [])
  })
}

const ownersContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: the keys of an owner are revoked together, with the policies that they had`, async t => {
    const { read, store, write } = createFixture(t, await open(t))
    const inBulk = async (work: (keys: KeyRows) => Promise<RevokedKeys>): Promise<RevokedKeys> =>
      await store.write(async ({ keys }) => await work(keys), { isBulk: true })
    const policy = { scopes: ['apps:read'], allowedIps: ['10.0.0.0/8'], rateLimit: { max: 5, windowSeconds: 60 } }
    await write(async keys => {
      await keys.insert(newKey({ id: 'a', name: 'a', owner: 'one', ...policy, expiresAt: AT }))
      await keys.insert(newKey({ id: 'b', name: 'b', owner: 'one', ...policy, expiresAt: LATER }))
      await keys.insert(newKey({ id: 'c', name: 'c', owner: 'one' }))
      await keys.insert(newKey({ id: 'd', name: 'd', owner: 'one', scopes: ['audits:read'] }))
      await keys.insert(newKey({ id: 'e', name: 'e', owner: 'other' }))
      await keys.insert(newKey({ id: 'f', name: 'f' }))
    })
    await write(async keys => {
      await keys.revoke('d', { at: AT, reason: 'earlier' })
    })
    const expected = [{ ...policy, expiresAt: LATER }, UNLIMITED]
    const hasAll = (found: readonly Policy[]): boolean =>
      expected.every(each => found.some(one => isDeepStrictEqual(onlyPolicy(one), { ...each })))
    t.ok(hasAll(await read(async keys => await keys.policiesOfOwner('one'))))
    t.same(await read(async keys => await keys.policiesOfOwner('nobody')), [])

    const failure = new Error('the transaction failed')
    const failing = inBulk(async keys => {
      await keys.revokeOwner('one', { at: LATER, reason: 'left' })
      throw failure
    })
    await t.rejects(failing, failure)
    t.equal((await read(async keys => await keys.page({ revoked: true }, { limit: 10, at: AT }))).length, 1)

    const revoke = async () => await inBulk(async keys => await keys.revokeOwner('one', { at: LATER, reason: 'left' }))
    const { count, policies } = await revoke()
    t.equal(count, 3)
    t.ok(hasAll(policies))
    t.ok(policies.every(({ scopes }) => !scopes.includes('audits:read')))
    t.same(await revoke(), { count: 0, policies: [] })
    const all = await read(async keys => await keys.page({}, { limit: 10, at: AT }))
    t.same(
      all.map(({ id, revokedAt, revokedReason }) => [id, revokedAt, revokedReason]),
      [...['a', 'b', 'c'].map(id => [id, LATER, 'left']), ['d', AT, 'earlier'], ['e', null, null], ['f', null, null]]
    )
  })

  test(`${engine}: of policies that differ in their expiry, one without an expiry counts`, async t => {
    const { read, write } = createFixture(t, await open(t))
    await write(async keys => {
      for (const [id, expiresAt] of [
        ['a', AT],
        ['b', null],
        ['c', LATER]
      ] as const) {
        await keys.insert(newKey({ id, name: id, owner: 'one', expiresAt }))
      }
    })
    const policies = await read(async keys => await keys.policiesOfOwner('one'))
    t.ok(policies.some(({ expiresAt }) => expiresAt === null))
  })

  test(`${engine}: thousands of keys of an owner are found, counted and revoked`, async t => {
    const { read, store, write } = createFixture(t, await open(t))
    const ids = Array.from({ length: MANY }, (_, index) => `key ${String(index).padStart(4, '0')}`)
    const day = '2026-02-01'
    await write(async keys => {
      for (const id of ids) await keys.insert(newKey({ id, name: id, owner: 'one' }))
    })
    await store.write(async ({ keys }) => {
      await keys.addUsage(ids.map(id => ({ id, day, kind: 'scope', label: 'apps:read', count: 2 })))
    })
    const page = { limit: MANY + 1, at: AT }
    t.same(
      (await read(async keys => await keys.page({ owner: 'one' }, page))).map(({ id }) => id),
      ids
    )
    t.same(await read(async keys => await keys.usageOfOwner('one', { day })), [
      { day, kind: 'scope', label: 'apps:read', count: 2 * MANY }
    ])
    t.ok((await read(async keys => await keys.policiesOfOwner('one'))).length >= 1)
    const { count } = await store.write(
      async ({ keys }) => await keys.revokeOwner('one', { at: LATER, reason: null }),
      { isBulk: true }
    )
    t.equal(count, MANY)
    t.same(await read(async keys => await keys.page({ owner: 'one', revoked: false }, page)), [])
  })

  test(`${engine}: the usage of the keys of an owner is added up, without single addresses`, async t => {
    const { read, store, write } = createFixture(t, await open(t))
    await write(async keys => {
      await keys.insert(newKey({ id: 'a', name: 'a', owner: 'one' }))
      await keys.insert(newKey({ id: 'b', name: 'b', owner: 'one' }))
      await keys.insert(newKey({ id: 'c', name: 'c', owner: 'other' }))
    })
    const [before, first, second] = ['2026-01-31', '2026-02-01', '2026-02-02'] as const
    const counts: [id: string, day: string, kind: UsageCount['kind'], label: string, count: number][] = [
      ['a', before, 'scope', 'apps:read', 1],
      ['a', first, 'scope', 'apps:read', 2],
      ['b', first, 'scope', 'apps:read', 3],
      ['b', first, 'scope', 'audits:read', 5],
      ['a', first, 'scope', 'apps:write', 5],
      ['a', first, 'address', '10.0.0.1', 5],
      ['b', first, 'address', '10.0.0.2', 4],
      ['a', second, 'refusal', 'key_disabled', 1],
      ['c', second, 'refusal', 'key_disabled', 9]
    ]
    await store.write(async ({ keys }) => {
      await keys.addUsage(counts.map(([id, day, kind, label, count]) => ({ id, day, kind, label, count })))
    })
    t.same(await read(async keys => await keys.usageOfOwner('one', { day: first })), [
      { day: first, kind: 'address', label: '*', count: 9 },
      { day: first, kind: 'scope', label: 'apps:read', count: 5 },
      { day: first, kind: 'scope', label: 'apps:write', count: 5 },
      { day: first, kind: 'scope', label: 'audits:read', count: 5 },
      { day: second, kind: 'refusal', label: 'key_disabled', count: 1 }
    ])
    t.same(await read(async keys => await keys.usageOfOwner('nobody', { day: first })), [])
  })
}

const revisionContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: each change increases the revision, unless it fails`, async t => {
    const { write } = createFixture(t, await open(t))
    const advance = async (): Promise<number> => {
      const { position } = await write(async keys => await keys.advanceRevision('k'))
      return (await position).epoch
    }
    const first = await advance()
    await t.rejects(
      write(async keys => {
        await keys.advanceRevision('k')
        throw new Error('the change failed')
      })
    )
    const more = await Promise.all(Array.from({ length: 20 }, advance))
    t.same(
      more.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => first + 1 + index)
    )
  })

  test(`${engine}: a request increases the revision for the key that it changes, even if the request is retried`, async t => {
    const { store, secret } = createFixture(t, await open(t))
    const changed: string[] = []
    const write: KeyStore['write'] = async (work, options) =>
      await store.write(async ({ keys, ...tx }) => {
        const advanceRevision = async (id: string) => {
          changed.push(id)
          return await keys.advanceRevision(id)
        }
        return await work({ ...tx, keys: { ...keys, advanceRevision } })
      }, options)
    const keys = createKeyService({ store: { ...store, write }, secret })
    const retryable = { requester: 'env_1', idempotencyKey: 'again', request: 'issue' }
    const { key } = await keys.issue({ name: 'k' }, operator, retryable)
    t.same(changed, [key.id])
    await keys.issue({ name: 'k' }, operator, retryable)
    t.equal(changed.at(-1), key.id, 'the token in the lost response is refused from now on')
    changed.length = 0
    await keys.change(key.id, { enabled: false }, operator)
    await keys.rotate(key.id, { graceSeconds: 0 }, operator)
    await keys.revoke(key.id, null, operator)
    t.same(changed, [key.id, key.id, key.id])
  })
}

const unusedContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: a key counts as unused since any timestamp after its last use`, async t => {
    const { read, write } = createFixture(t, await open(t))
    await write(async keys => {
      await keys.insert(newKey())
      await keys.insertToken(newKey().id, newToken(1), AT)
      const use = { count: 1, lastUsedAt: LATER, lastUsedIp: '::1', lastUsedAgent: null }
      await keys.addTokenUsage([{ digest: digest(1), ...use }])
    })
    const unused = async (unusedSince: Date) =>
      (await read(async keys => await keys.page({ unusedSince }, { limit: 1, at: AT }))).length
    t.same([await unused(LATER), await unused(new Date(LATER.getTime() + 1))], [0, 1])
  })
}

const tokensContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: a token and its key are found by the token's digest`, async t => {
    const { read, write } = createFixture(t, await open(t))
    const key = newKey({
      owner: 'customer:4711',
      rateLimit: { max: 5, windowSeconds: 60 },
      allowedIps: ['10.0.0.0/8'],
      expiresAt: LATER
    })
    await write(async keys => {
      await keys.insert(key)
      await keys.insertToken(key.id, newToken(1), AT)
    })
    const { id, name, owner, source, scopes, expiresAt, enabled, allowedIps, rateLimit, revokedAt } = key
    t.same(await read(async keys => await keys.findToken(digest(1))), {
      key: { id, name, owner, source, scopes, expiresAt, enabled, allowedIps, rateLimit, revokedAt },
      digest: digest(1),
      generation: '0a0b0c0d',
      ref: digest(1),
      expiresAt: null,
      revokedAt: null,
      createdAt: AT,
      metadata: JSON.stringify(key.metadata)
    })
    t.equal(await read(async keys => await keys.findToken(digest(2))), null)
  })

  test(`${engine}: older tokens expire, are revoked and are removed`, async t => {
    const { read, write } = createFixture(t, await open(t))
    const { id } = newKey()
    const minute = (minutes: number): Date => new Date(AT.getTime() + minutes * 60_000)
    await write(async keys => {
      await keys.insert(newKey())
      for (let i = 1; i <= 5; i++) await keys.insertToken(id, newToken(i), minute(i))
      await keys.expireTokens(id, minute(20))
      await keys.expireTokens(id, minute(30))
      await keys.insertToken(id, newToken(6), minute(6))
      await keys.revokeToken(digest(2), minute(7))
      await keys.revokeToken(digest(2), minute(8))
    })
    const tokens = async (limit = 10) => await read(async keys => await keys.tokens(id, { limit }))
    t.same(
      (await tokens()).map(({ createdAt, expiresAt, revokedAt }) => [createdAt, expiresAt, revokedAt]),
      [6, 5, 4, 3, 2, 1].map(i => [minute(i), i === 6 ? null : minute(20), i === 2 ? minute(7) : null])
    )
    await write(async keys => {
      await keys.revokeTokens('nobody', minute(8))
    })
    t.equal((await tokens()).filter(({ revokedAt }) => revokedAt !== null).length, 1)
    t.equal((await tokens(2)).length, 2)
    t.same(
      (await tokens()).map(token => token.digest),
      [6, 5, 4, 3, 2, 1].map(digest)
    )
    await write(async keys => {
      await keys.removeTokens([1, 2, 3, 4].map(digest))
    })
    await write(async keys => {
      for (const at of [minute(21), minute(22)]) await keys.revokeTokens(id, at)
    })
    t.same(
      (await tokens()).map(({ revokedAt }) => revokedAt),
      [minute(21), minute(21)]
    )
  })
}

const idempotencyContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: idempotency records can be found, replaced, and removed by age`, async t => {
    const { write } = createFixture(t, await open(t))
    const record = {
      requester: 'env_1',
      keyHash: digest('a'),
      requestHash: digest('b'),
      clientKeyId: newKey().id,
      tokenDigest: digest(1),
      at: AT
    }
    await write(async keys => {
      await keys.insert(newKey())
      t.equal(await keys.findIdempotencyRecord(record.requester, record.keyHash), null)
      await keys.insertIdempotencyRecord(record)
    })
    const find = async () => await write(async keys => await keys.findIdempotencyRecord('env_1', digest('a')))
    t.same(await find(), record)
    t.equal(await write(async keys => await keys.findIdempotencyRecord('env_2', digest('a'))), null)
    await write(async keys => {
      await keys.updateIdempotencyRecord({ ...record, tokenDigest: digest(2) })
      await keys.removeIdempotencyRecords(new Date(AT.getTime() - 1))
    })
    t.same(await find(), { ...record, tokenDigest: digest(2) })
    await write(async keys => {
      await keys.removeIdempotencyRecords(AT)
    })
    t.equal(await find(), null)
  })
}

const noCounts = { scopes: new Map(), addresses: new Map(), refusals: new Map() }

const usageContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: usage counts are added up, and the most recent use is kept as the last one`, async t => {
    const { keys, usage, read, store } = createFixture(t, await open(t))
    const { key, keyId } = await keys.issue({ name: 'k' }, operator)
    const token = await read(async rows => await rows.findToken(digestOf(keyId)))
    if (token === null) throw new Error('the token was not found')
    for (const address of ['10.0.0.1', '10.0.0.2']) {
      // Two uses in the same millisecond have no defined order.
      for (const before = Date.now(); Date.now() === before;);
      usage.used(token, ['apps:read'], address, 'agent')
      await usage.flush()
    }
    t.match(await keys.tokens(key.id), [{ useCount: 2, lastUsedIp: '10.0.0.2', lastUsedAgent: 'agent' }])
    const { lastUsedAt } = at(await keys.tokens(key.id))
    const late = { count: 5, lastAt: Date.parse('2026-01-01'), lastIp: '10.0.0.9', lastAgent: 'late' }
    await createUsageWriter(store)('2026-01-01', [{ token, ...late, ...noCounts }])
    t.match(
      await keys.tokens(key.id),
      [{ useCount: 7, lastUsedIp: '10.0.0.2', lastUsedAgent: 'agent', lastUsedAt }],
      'an older use that is recorded late does not replace the last use'
    )
    t.same((await keys.find(key.id)).lastUsedAt, lastUsedAt)
  })

  test(`${engine}: an environment key's uses are stored separately for each generation`, async t => {
    const { read, write, usage } = createFixture(t, await open(t))
    const token = knownToken({ id: 'env_0', source: 'environment' })
    for (const generation of ['00000001', '00000002', '00000001']) {
      usage.used({ ...token, generation, ref: generation }, [], '10.0.0.1', undefined)
      await usage.flush()
    }
    const { tokens } = await read(async keys => await keys.environmentRecord({ id: 'env_0', digest: token.digest }))
    t.same(tokens.map(({ generation, useCount }) => [generation, useCount]).sort(), [
      ['00000001', 2],
      ['00000002', 1]
    ])
    t.match(tokens, [{ hint: null, createdAt: null, lastUsedIp: '10.0.0.1', lastUsedAgent: null }, {}])
    const late = { count: 5, lastUsedAt: AT, lastUsedIp: '10.0.0.9', lastUsedAgent: 'late' }
    await write(async keys => {
      await keys.addEnvironmentUsage([{ id: 'env_0', generation: '00000002', ...late }])
    })
    const after = await read(async keys => await keys.environmentRecord({ id: 'env_0', digest: token.digest }))
    t.match(
      after.tokens.find(({ generation }) => generation === '00000002'),
      { useCount: 6, lastUsedIp: '10.0.0.1', lastUsedAgent: null },
      'an older use that is recorded late does not replace the last use'
    )
  })

  test(`${engine}: at most a hundred addresses a day are counted separately, across all writes`, async t => {
    const { read, usage } = createFixture(t, await open(t))
    const token = knownToken({ id: 'env_0', source: 'environment' })
    for (let batch = 0; batch < 4; batch++) {
      for (let i = 0; i < 40; i++) usage.used(token, [], `10.0.${batch}.${i}`, undefined)
      await usage.flush()
    }
    usage.used(token, [], '10.0.0.0', undefined)
    await usage.flush()
    const counts = await read(async keys => await keys.usage('env_0', { day: '2026-01-01' }))
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
    const { store, read } = createFixture(t, await open(t))
    const write = createUsageWriter(store)
    const use = {
      ...noCounts,
      token: knownToken({ id: 'env_0' }),
      count: 0,
      lastAt: 0,
      lastIp: '',
      lastAgent: undefined,
      scopes: new Map([['apps:read', 1]]),
      refusals: new Map([['rate_limited', 2]])
    }
    const days = async () =>
      (await read(async keys => await keys.usage('env_0', { day: '2025-01-01' })))
        .filter(({ kind }) => kind === 'scope')
        .map(({ day }) => day)
    for (const day of ['2026-01-01', '2026-01-02', '2026-03-31']) await write(day, [use])
    t.same(await days(), ['2026-01-01', '2026-01-02', '2026-03-31'])
    await write('2026-04-01', [use])
    t.same(await days(), ['2026-01-02', '2026-03-31', '2026-04-01'])
  })
}

const secretsContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: recording generations replaces the previously recorded ones`, async t => {
    const { write } = createFixture(t, await open(t))
    const recorded = async () => (await write(async keys => await keys.secretState())).recorded
    t.same(await write(async keys => await keys.secretState()), { recorded: [], nodes: [] })
    await write(async keys => {
      await keys.recordGenerations(['0000000b', '0000000a'], AT)
    })
    t.same(await recorded(), ['0000000a', '0000000b'])
    await write(async keys => {
      await keys.recordGenerations(['0000000b', '0000000c'], LATER)
    })
    t.same(await recorded(), ['0000000b', '0000000c'])
    const failing = write(async keys => {
      await keys.recordGenerations(['0000000d'], LATER)
      throw new Error('enough')
    })
    await t.rejects(failing, /enough/)
    t.same(await recorded(), ['0000000b', '0000000c'])
  })
}

const generationsContract = (engine: string, open: (t: Test) => Promise<KeyStore>): void => {
  test(`${engine}: a generation has the time of its tokens' last use, and the number of active tokens`, async t => {
    const { read, write } = createFixture(t, await open(t))
    const use = { count: 1, lastUsedIp: '::1', lastUsedAgent: null }
    await write(async keys => {
      await keys.insert(newKey({ expiresAt: LATER }))
      for (const digit of [1, 2, 3]) await keys.insertToken(newKey().id, newToken(digit), AT)
      await keys.revokeToken(digest(3), AT)
      await keys.addTokenUsage([
        { digest: digest(1), lastUsedAt: AT, ...use },
        { digest: digest(2), lastUsedAt: LATER, ...use }
      ])
      await keys.addEnvironmentUsage([{ id: 'env_0', generation: '00000001', lastUsedAt: AT, ...use }])
    })
    t.same(await read(async keys => await keys.generations(AT)), [
      { generation: '0a0b0c0d', activeTokens: 2, lastUsedAt: LATER }
    ])
    t.match(await read(async keys => await keys.generations(LATER)), [{ activeTokens: 0 }])
    t.same(await read(async keys => await keys.otherGenerations([], AT)), ['0a0b0c0d'])
    t.same(await read(async keys => await keys.otherGenerations([], LATER)), [])
    t.same(await read(async keys => await keys.otherGenerations(['0a0b0c0d'], AT)), [])
  })

  test(`${engine}: generations are counted, and those that no configured secret can open are found`, async t => {
    const { keys, store, secret } = createFixture(t, await open(t))
    const [first, second] = [newSecret(), newSecret()]
    const under = (own: string): KeyService => createKeyService({ store, secret: own })
    const one = await under(first).issue({ name: 'one' }, operator)
    await under(second).issue({ name: 'two', expiresAt: new Date(Date.now() + 60_000) }, operator)
    t.same((await keys.orphans()).length, 2)
    t.match(await keys.secrets(), [
      { secret: 'CLIENT_SECRET', use: { generation: createTokenSealer(secret).generation, activeTokens: 0 } },
      { secret: null, use: { activeTokens: 1 } },
      { secret: null, use: { activeTokens: 1 } }
    ])
    await keys.revoke(one.key.id, null, operator)
    t.same(await keys.orphans(), [createTokenSealer(second).generation])
    t.equal((await keys.secrets()).length, 2, 'a secret that no active token depends on is not shown')
  })
}
