import { test } from 'tap'
import type { Test } from 'tap'
import type { Storage } from '../../db/storage.ts'
import { ALL_KEYS } from '../../domain/keys/freshness/lease-store.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { createServiceCatalog } from '../../domain/services/catalog.ts'
import { createServiceRegistry } from '../../domain/services/registry.ts'
import type { Service } from '../../domain/services/service.ts'
import type { ServiceTx } from '../../domain/services/store.ts'
import { newSecret, operator } from '../helper.ts'

const AT = new Date('2026-02-01T00:00:00.000Z')

const newService = (name: string, ...scopes: string[]): Service => ({
  name,
  description: 'é “quoted” 🦉',
  audience: null,
  scopes: scopes.map(scope => ({ name: `${name}:${scope}`, description: `may ${scope}` })),
  createdAt: AT,
  updatedAt: AT
})

const createFixture = (storage: Storage) => {
  const { keys: store } = storage
  return {
    storage,
    keys: createKeyService({ store, secret: newSecret(), checkSecrets: async () => true }),
    services: createServiceRegistry({ store }),
    write: async (work: (tx: ServiceTx) => Promise<void>): Promise<void> => {
      await store.write(async tx => {
        await tx.keys.advanceRevision(ALL_KEYS)
        await work(tx)
      })
    }
  }
}

/** Defines the tests that the storage of services must pass on every engine. `open` opens a new, empty one. */
export const serviceRowsContract = (engine: string, open: (t: Test) => Promise<Storage>): void => {
  test(`${engine}: a service is read as it was stored, and services are ordered by name`, async t => {
    const { storage, write } = createFixture(await open(t))
    const { read } = storage
    const orders = newService('orders', 'read', 'a.b_c-d:e')
    const others = ['a-z', 'a1', 'az'].map(name => newService(name))
    for (const service of [orders, ...others]) {
      await write(async ({ services }) => {
        await services.insert(service)
      })
    }
    t.same(await read(async ({ services }) => await services.find('orders')), orders)
    t.equal(await read(async ({ services }) => await services.find('order')), null)
    t.same(await read(async ({ services }) => await services.named(['orders', 'none'])), [orders])
    const page = async (limit: number, after?: string) =>
      (await read(async ({ services }) => await services.page({ limit, after }))).map(({ name }) => name)
    t.same(await page(10), ['a-z', 'a1', 'az', 'orders'])
    t.same(await page(2, 'a-z'), ['a1', 'az'])
    t.equal(await read(async ({ services }) => await services.count()), 4)
    const changed = { ...newService('orders'), description: null, audience: 'https://orders.example.com' }
    await write(async ({ services }) => {
      await services.update(changed)
      await services.remove('az')
    })
    t.same(await read(async ({ services }) => await services.find('orders')), changed)
    t.same(await page(10), ['a-z', 'a1', 'orders'])
  })

  test(`${engine}: scopes are taken from exactly the keys that have them, in the order of the rest`, async t => {
    const { storage, keys, services, write } = createFixture(await open(t))
    await services.create(newService('orders', 'read', 'write', 'read:all'), operator)
    const given = [
      ['orders:write', 'orders:read', 'apps:read', 'orders:read:all'],
      ['orders:read'],
      ['orders:*'],
      ['*']
    ]
    const issued = await Promise.all(
      given.map(async (scopes, index) => await keys.issue({ name: `${index}`, scopes }, operator))
    )
    await write(async ({ services }) => {
      t.equal(await services.countKeys(['orders:read', 'orders:nothing']), 2)
      await services.takeScopes(['orders:read', 'orders:nothing'])
    })
    const left = await Promise.all(issued.map(async ({ key }) => (await keys.find(key.id)).scopes))
    t.same(left, [['orders:write', 'apps:read', 'orders:read:all'], [], ['orders:*'], ['*']])
    const listed = await storage.read(
      async ({ keys }) => await keys.page({ anyOfScopes: ['orders:*', 'apps:read'] }, { limit: 10, at: AT })
    )
    t.same(listed.map(({ name }) => name).sort(), ['0', '2'])
  })

  test(`${engine}: the catalog is read again after a change, and only then`, async t => {
    const { storage, services } = createFixture(await open(t))
    let reads = 0
    const catalog = createServiceCatalog({
      freshness: storage.keyLookup,
      read: async () => {
        reads++
        return await storage.keys.read(async ({ services }) => await services.page({ limit: 1000 }))
      }
    })
    const names = async () => [...(await catalog.current()).values()].map(({ name, scopes }) => [name, scopes.length])
    t.same(await names(), [])
    await services.create(newService('orders', 'read'), operator)
    t.same(await names(), [['orders', 1]])
    t.same(await names(), [['orders', 1]])
    t.equal(reads, 2)
    await services.change('orders', { scopes: [], force: false }, operator)
    t.same(await names(), [['orders', 0]])
    await services.remove('orders', { force: false }, operator)
    t.same(await names(), [])
    t.equal(reads, 4)
  })
  racesContract(engine, open)
}

const racesContract = (engine: string, open: (t: Test) => Promise<Storage>): void => {
  test(`${engine}: a key that is issued while its service is removed keeps no scope of it`, async t => {
    const { storage, keys, services } = createFixture(await open(t))
    const outcomes = new Set<string>()
    const scopes = ['orders:read', 'orders:*', 'tokens:introspect:orders', 'apps:read']
    for (let round = 0; round < 12; round++) {
      await services.create(newService('orders', 'read'), operator)
      const force = round % 3 !== 0
      const issue = async () => await keys.issue({ name: `${round}`, scopes }, operator)
      const remove = async () => await services.remove('orders', { force }, operator)
      const [issued, removed] = await Promise.allSettled(
        round % 2 === 0 ? [issue(), remove()] : [remove(), issue()].reverse()
      )
      const isRemoved = (await storage.read(async ({ services }) => await services.find('orders'))) === null
      t.equal(removed?.status === 'fulfilled', isRemoved)
      if (removed?.status === 'rejected') t.match(removed.reason, { code: 'SERVICE_IN_USE' })
      if (issued?.status === 'rejected') t.match(issued.reason, { code: 'INVALID_FIELDS' })
      outcomes.add(`${issued?.status} ${removed?.status}`)
      const { keys: listed } = await keys.list({ namePrefix: `${round}` }, { limit: 1 })
      const kept = listed.flatMap(key => key.scopes).filter(scope => scope.includes('orders'))
      t.same(kept.length, issued?.status === 'fulfilled' && !isRemoved ? 3 : 0, `round ${round}`)
      if (!isRemoved) await services.remove('orders', { force: true }, operator)
    }
    t.comment([...outcomes].join('; '))
  })

  test(`${engine}: a change that gives a scope and the removal of the scope end in one of their orders`, async t => {
    const { keys, services } = createFixture(await open(t))
    const { key } = await keys.issue({ name: 'k', scopes: ['apps:read'] }, operator)
    for (let round = 0; round < 6; round++) {
      await services.create(newService('orders', 'read', 'write'), operator)
      const [changed, removed] = await Promise.allSettled([
        keys.change(key.id, { scopes: ['orders:read', 'orders:write'] }, operator),
        services.change('orders', { scopes: newService('orders', 'write').scopes, force: true }, operator)
      ])
      t.equal(removed.status, 'fulfilled')
      const { scopes } = await keys.find(key.id)
      t.notOk(scopes.includes('orders:read'))
      t.same(scopes, changed.status === 'fulfilled' ? ['orders:write'] : ['apps:read'])
      await keys.change(key.id, { scopes: ['apps:read'] }, operator)
      await services.remove('orders', { force: false }, operator)
    }
  })

  test(`${engine}: services that are created at once with one name, and changes of one service, all count`, async t => {
    const { services } = createFixture(await open(t))
    const created = await Promise.allSettled(
      [1, 2, 3].map(async number => await services.create(newService('orders', String(number)), operator))
    )
    t.equal(created.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of created) {
      if (result.status === 'rejected') t.match(result.reason, { code: 'SERVICE_NAME_TAKEN' })
    }
    await Promise.all([
      services.change('orders', { description: 'one', force: false }, operator),
      services.change('orders', { audience: 'two', force: false }, operator)
    ])
    t.match(await services.find('orders'), { description: 'one', audience: 'two' })
  })
}
