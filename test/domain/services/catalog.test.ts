import { test } from 'tap'
import { createServiceCatalog, expandScopes, isServiceScope } from '../../../domain/services/catalog.ts'
import type { Service } from '../../../domain/services/service.ts'

const AT = new Date('2026-02-01T00:00:00.000Z')

const service = (name: string, ...scopes: string[]): Service => ({
  name,
  description: null,
  audience: null,
  scopes: scopes.map(scope => ({ name: `${name}:${scope}`, description: null })),
  createdAt: AT,
  updatedAt: AT
})

/** A catalog whose revision and services the test sets, and the number of its reads. */
const createFixture = () => {
  const state = {
    revision: 0,
    mark: true,
    stored: [service('orders', 'read')],
    reads: 0,
    failure: null as Error | null
  }
  const catalog = createServiceCatalog({
    freshness: {
      barrier: async () => {},
      mark: () => (state.mark ? state.revision : null),
      isFresh: mark => mark === state.revision
    },
    read: async () => {
      state.reads++
      if (state.failure !== null) throw state.failure
      return state.stored
    }
  })
  return { state, catalog }
}

test('services are read once until something changes, however many requests ask at once', async t => {
  const { state, catalog } = createFixture()
  const [one, other] = await Promise.all([catalog.current(), catalog.current()])
  t.equal(one, other)
  t.equal(await catalog.current(), one)
  t.equal(state.reads, 1)
  state.stored = [service('orders', 'read'), service('ledger')]
  state.revision++
  t.same([...(await catalog.current()).keys()], ['orders', 'ledger'])
  t.equal(state.reads, 2)
})

test('services that were read before a change are not used after it, even if the read ends later', async t => {
  const { state, catalog } = createFixture()
  const earlier = catalog.current()
  state.stored = []
  state.revision++
  t.equal((await catalog.current()).size, 0)
  await earlier
  t.equal((await catalog.current()).size, 0)
})

test('without a mark, services are read each time', async t => {
  const { state, catalog } = createFixture()
  state.mark = false
  await catalog.current()
  await catalog.current()
  t.equal(state.reads, 2)
})

test('a read that fails is repeated for the next request', async t => {
  const { state, catalog } = createFixture()
  state.failure = new Error('the database is down')
  await t.rejects(catalog.current(), { message: 'the database is down' })
  state.failure = null
  t.equal((await catalog.current()).size, 1)
})

test('a read that fails late does not undo a later one', async t => {
  const { state, catalog } = createFixture()
  state.failure = new Error('the database is down')
  const failing = catalog.current()
  const later = Promise.resolve().then(async () => {
    state.failure = null
    state.revision++
    return await catalog.current()
  })
  await t.rejects(failing)
  t.equal((await later).size, 1)
  t.equal((await catalog.current()).size, 1)
  t.equal(state.reads, 2)
})

test('scopes exist while their service defines them, and orders:* means all of them', t => {
  const services = new Map(
    [service('orders', 'read', 'refunds:write'), service('ledger', 'read')].map(s => [s.name, s])
  )
  for (const scope of ['orders:read', 'orders:refunds:write', 'orders:*', 'ledger:read']) {
    t.ok(isServiceScope(services, scope), scope)
  }
  for (const scope of ['orders:write', 'orders', 'orders:', 'bills:*', 'apps:read', '*', 'tokens:introspect:orders']) {
    t.notOk(isServiceScope(services, scope), scope)
  }
  t.same(expandScopes(services, ['orders:*', 'ledger:read', 'apps:read']), [
    'ledger:read',
    'orders:read',
    'orders:refunds:write'
  ])
  t.same(expandScopes(services, ['orders:refunds:write', 'orders:gone', 'bills:*', '*', 'tokens:introspect']), [
    'orders:refunds:write'
  ])
  t.end()
})
