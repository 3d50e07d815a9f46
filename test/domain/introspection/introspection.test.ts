import tap, { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../../db/open.ts'
import { createIntrospection } from '../../../domain/introspection/introspection.ts'
import type { Question } from '../../../domain/introspection/introspection.ts'
import type { View } from '../../../domain/introspection/view.ts'
import type { KeyLookup } from '../../../domain/keys/freshness/freshness.ts'
import { createKeyService } from '../../../domain/keys/service.ts'
import { createTokenSealer, digestOf, issueClientKey } from '../../../domain/keys/token/token.ts'
import { createServiceCatalog } from '../../../domain/services/catalog.ts'
import { createServiceRegistry } from '../../../domain/services/registry.ts'
import { required, newSecret, operator, settings } from '../../helper.ts'
import { addService } from '../../introspection.ts'
import { postgresDatabase } from '../../postgres.ts'

type NewDatabase = (t: Test) => Promise<string | null>

const ENGINES: [string, NewDatabase][] = [
  ['SQLite', async t => settings(t).env.DATABASE_URL],
  ...((await postgresDatabase(tap)) === null ? [] : [['PostgreSQL', postgresDatabase] satisfies [string, NewDatabase]])
]

interface Calls {
  barriers: number
  single: number
  batches: number[]
}

const counted = (lookup: Required<KeyLookup>, calls: Calls): Required<KeyLookup> => ({
  ...lookup,
  barrier: async () => {
    calls.barriers++
    await lookup.barrier()
  },
  findByDigest: digest => {
    calls.single++
    return lookup.findByDigest(digest)
  },
  findByDigests: digests => {
    calls.batches.push(digests.length)
    return lookup.findByDigests(digests)
  }
})

/** Opens a node of a database: a process of its own has the same. */
const openNode = async (t: Test, url: string, secret: string, allowList: readonly string[] = []) => {
  const storage = await openStorage(url)
  t.teardown(storage.close)
  const calls: Calls = { barriers: 0, single: 0, batches: [] }
  const keyLookup = counted(storage.keyLookup, calls)
  const keys = createKeyService({ store: storage.keys, keyLookup, secret, allowList })
  const catalog = createServiceCatalog({
    freshness: storage.keyLookup,
    read: async () => await storage.keys.read(async ({ services }) => await services.page({ limit: 10 }))
  })
  const introspect = createIntrospection({ verifyAll: keys.verifyAll, catalog })
  const ask = async (view: View, ...tokens: (string | Question)[]): Promise<(string | false)[]> => {
    const questions = tokens.map(token => (typeof token === 'string' ? { token, scopes: [] } : token))
    return (await introspect(view, questions)).map(answer => (answer.isActive ? answer.scopes.join(' ') : false))
  }
  return { storage, keys, ask, calls, services: createServiceRegistry({ store: storage.keys }) }
}

const openTwo = async (t: Test, newDatabase: NewDatabase) => {
  const url = required((await newDatabase(t)) ?? undefined, 'a database')
  const secret = newSecret()
  const environment = issueClientKey(createTokenSealer(secret))
  const open = async () => await openNode(t, url, secret, [`sha256:${digestOf(environment.keyId)}`])
  const [here, there] = [await open(), await open()]
  await addService(here.storage.keys, 'orders', ['read', 'write'])
  return { here, there, environment }
}

for (const [engine, newDatabase] of ENGINES) {
  test(`${engine}: a change on one node applies to the next introspection on each node`, async t => {
    const { here, there, environment } = await openTwo(t, newDatabase)
    const issue = async (name: string) => await here.keys.issue({ name, scopes: ['orders:*'] }, operator)
    const { key, keyAccessToken: token } = await issue('k')
    const { keyAccessToken: other } = await issue('another')
    const view = ['orders']
    const expectAll = async (expected: string | false, what: string): Promise<void> => {
      for (const { ask } of [here, there]) {
        t.same(await ask(view, token), [expected], what)
        t.same(await ask(view, other, token, 'x', token), ['orders:read orders:write', expected, false, expected], what)
      }
    }
    await expectAll('orders:read orders:write', 'issued')
    await there.keys.change(key.id, { enabled: false }, operator)
    await expectAll(false, 'disabled')
    await here.keys.change(key.id, { enabled: true, scopes: ['orders:read'] }, operator)
    await expectAll('orders:read', 'with fewer scopes')
    await there.keys.change(key.id, { scopes: ['apps:read'] }, operator)
    await expectAll(false, 'without a scope of the service')
    await there.keys.change(key.id, { scopes: ['orders:write'] }, operator)
    await expectAll('orders:write', 'with another scope')
    await here.keys.revoke(key.id, null, operator)
    await expectAll(false, 'revoked')

    t.same(await there.ask(null, environment.keyAccessToken), [''])
    await here.keys.revoke((await here.keys.environmentKeys())[0]?.key.id ?? '', null, operator)
    t.same(await there.ask(null, environment.keyAccessToken, other), [false, 'orders:read orders:write'])

    await addService(there.storage.keys, 'ledger', ['read'])
    await here.keys.issue({ name: 'books', scopes: ['ledger:read'] }, operator)
    await there.services.remove('orders', { force: true }, operator)
    for (const { ask } of [here, there]) {
      t.same(await ask(view, other), [false], 'the service was removed')
      t.same(await ask(null, other), [''])
      t.same(await ask(null, { token: other, scopes: ['orders:read'] }), [false])
    }
  })

  test(`${engine}: tokens that are not in memory share one query and one barrier`, async t => {
    const { here, there, environment } = await openTwo(t, newDatabase)
    const tokens: string[] = []
    for (let i = 0; i < 5; i++) {
      tokens.push((await here.keys.issue({ name: `k${i}`, scopes: ['orders:read'] }, operator)).keyAccessToken)
    }
    const { calls, ask } = there
    const unknown = issueClientKey(createTokenSealer(newSecret())).keyAccessToken
    const answers = await ask(null, ...tokens, ...tokens, unknown, environment.keyAccessToken, 'x')
    t.same(answers, [...Array.from({ length: 10 }, () => 'orders:read'), false, '', false])
    t.same(calls, { barriers: 1, single: 0, batches: [6] }, 'five keys, and the environment key')
    await ask(null, ...tokens, environment.keyAccessToken)
    t.same(calls, { barriers: 2, single: 0, batches: [6] }, 'everything is in memory')
  })

  test(`${engine}: nothing is decided if the database can't be used`, async t => {
    const { here } = await openTwo(t, newDatabase)
    const { keyAccessToken } = await here.keys.issue({ name: 'k' }, operator)
    await here.ask(null, keyAccessToken)
    await here.storage.close()
    await t.rejects(here.ask(null, keyAccessToken))
  })
}

test('a lookup that finds one token at a time serves several tokens too', async t => {
  const secret = newSecret()
  const storage = await openStorage(settings(t).env.DATABASE_URL)
  t.teardown(storage.close)
  const keys = createKeyService({ store: storage.keys, secret })
  const { keyAccessToken } = await keys.issue({ name: 'k' }, operator)
  const demand = { scopes: ['apps:read'] }
  const verdicts = await keys.verifyAll([
    { token: keyAccessToken, demand },
    { token: 'x', demand }
  ])
  t.match(verdicts, [{ ok: true }, { ok: false, reason: 'malformed' }])
})
