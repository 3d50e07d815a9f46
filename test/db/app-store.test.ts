import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import type { App, NewApp } from '../../domain/apps/app.ts'
import type { Asker } from '../../domain/access/principal.ts'
import type { AppFilter, ListRange } from '../../domain/apps/store.ts'
import { openStores } from '../../db/open.ts'
import { sample } from '../../db/sample.ts'
import type { Stores } from '../../db/stores.ts'
import { at, temporaryFolder } from '../helper.ts'

const ANYBODY: Asker = {
  origin: { actor: { kind: 'cli', id: '0', name: 'tester' }, address: null, requestId: null },
  userId: null
}
const EVERYTHING: AppFilter = { userId: null, includeDiscarded: false, tags: [] }
const AT = '2026-02-01T00:00:00.000Z'

const newApp = (change: Partial<NewApp> = {}): NewApp => ({
  name: randomBytes(7).toString('hex'),
  descriptiveName: 'Night Shift',
  panels: null,
  schedule: null,
  owner: { type: 'User', id: 1 },
  createdAt: AT,
  ...change
})

const listOf = async ({ apps }: Stores, filter = EVERYTHING, range: ListRange = {}): Promise<App[]> => {
  const all: App[] = []
  for await (const batch of apps.list(filter, range)) all.push(...batch)
  return all
}

/** What every store of apps must do, whatever the engine. `open` opens a new, empty one. */
const contract = (engine: string, open: (t: Test) => Stores): void => {
  const filled = async (t: Test): Promise<Stores> => {
    const stores = open(t)
    t.ok(await stores.loadSample(sample, 'no hash', ANYBODY.origin))
    return stores
  }

  test(`${engine}: an app is found as it was stored, with an id and a port of its own`, async t => {
    const stores = await filled(t)
    const app = newApp({ panels: '{"a":"\\u0000"}', schedule: '{}' })
    const stored = await stores.apps.insert(app, ANYBODY)
    const { createdAt, ...rest } = app
    t.same(stored, {
      ...rest,
      id: 25,
      port: 3025,
      readableBy: null,
      tags: '[]',
      createdAt,
      updatedAt: createdAt,
      discardedAt: null
    })
    t.same(await stores.apps.find(app.name, ANYBODY), stored)
    t.equal(await stores.apps.find('00000000000000', ANYBODY), null)
  })

  test(`${engine}: ports are given once, even where they are taken at the same time`, async t => {
    const stores = await filled(t)
    const stored = await Promise.all(
      Array.from({ length: 20 }, (_, i) => stores.apps.insert(newApp({ descriptiveName: `App ${i}` }), ANYBODY))
    )
    t.equal(new Set(stored.map(({ port }) => port)).size, 20)
  })

  test(`${engine}: a write that can't be is refused, and nothing is written`, async t => {
    const stores = await filled(t)
    const app = await stores.apps.insert(newApp(), ANYBODY)
    const before = await listOf(stores)
    await t.rejects(stores.apps.insert(newApp(), ANYBODY), { code: 'DESCRIPTIVE_NAME_TAKEN' })
    await t.rejects(stores.apps.insert(newApp({ owner: { type: 'User', id: 9 } }), ANYBODY), {
      code: 'OWNER_NOT_FOUND'
    })
    await t.rejects(
      stores.apps.update('ba6811fb3e073d', { descriptiveName: 'Payroll Export', panels: '{}' }, AT, ANYBODY),
      { code: 'DESCRIPTIVE_NAME_TAKEN' }
    )
    await t.rejects(
      stores.apps.copy(app.name, { name: '11111111111111', descriptiveName: 'Night Shift', createdAt: AT }, ANYBODY),
      { code: 'DESCRIPTIVE_NAME_TAKEN' }
    )
    await t.rejects(
      stores.apps.insert(newApp({ name: app.name, descriptiveName: 'Another' }), ANYBODY),
      'a name is unique'
    )
    await t.rejects(stores.apps.insert(newApp({ descriptiveName: 'Bad JSON', panels: '{' }), ANYBODY))
    t.same(await listOf(stores), before)
  })

  test(`${engine}: what was discarded is found by nothing but a list that asks for it`, async t => {
    const stores = await filled(t)
    t.equal(await stores.apps.discard('ba6811fb3e073d', AT, ANYBODY), true)
    t.equal(await stores.apps.discard('ba6811fb3e073d', AT, ANYBODY), false)
    t.equal(await stores.apps.find('ba6811fb3e073d', ANYBODY), null)
    t.equal(await stores.apps.update('ba6811fb3e073d', { panels: null }, AT, ANYBODY), null)
    t.equal(await stores.apps.update('ba6811fb3e073d', {}, AT, ANYBODY), null)
    t.equal(await stores.apps.copy('ba6811fb3e073d', newApp(), ANYBODY), null)
    t.equal(await stores.apps.addTag('ba6811fb3e073d', { context: 'a', name: 'b' }, AT, ANYBODY), null)
    t.equal(
      await stores.apps.removeTag('ba6811fb3e073d', { context: 'department', name: 'finance' }, AT, ANYBODY),
      false
    )
    t.equal((await listOf(stores)).length, 23)
    const [discarded] = (await listOf(stores, { ...EVERYTHING, userId: null, includeDiscarded: true })).filter(
      ({ discardedAt }) => discardedAt !== null
    )
    t.match(discarded, { name: 'ba6811fb3e073d', discardedAt: AT, updatedAt: AT })
  })

  test(`${engine}: a range of the list is what lies between its ends`, async t => {
    const stores = await filled(t)
    const all = await listOf(stores)
    t.same(await listOf(stores, EVERYTHING, { after: all[3] }), all.slice(4))
    t.same(await listOf(stores, EVERYTHING, { until: all[3] }), all.slice(0, 4))
    t.same(await listOf(stores, EVERYTHING, { after: all[3], until: all[7] }), all.slice(4, 8))
    t.same(await listOf(stores, EVERYTHING, { after: all[7], until: all[3] }), [])
    t.match(await stores.apps.page(EVERYTHING, 5), {
      until: { descriptiveName: at(all, 4).descriptiveName, id: at(all, 4).id }
    })
    t.match(await stores.apps.page(EVERYTHING, 5, all[17]), { until: { id: at(all, 22).id } })
    t.equal((await stores.apps.page(EVERYTHING, 5, all[18])).until, undefined, 'the rest fits')
    t.equal((await stores.apps.page(EVERYTHING, 5, all[23])).until, undefined)
  })

  test(`${engine}: a page does not grow, whatever is created before it is read`, async t => {
    const stores = await filled(t)
    const all = await listOf(stores)
    for (const limit of [5, 100]) {
      const page = await stores.apps.page(EVERYTHING, limit)
      await stores.apps.insert(newApp({ descriptiveName: `AAA ${limit}` }), ANYBODY)
      t.same(await listOf(stores, EVERYTHING, page), all.slice(0, limit))
      await stores.apps.discard(at(await listOf(stores)).name, AT, ANYBODY)
    }
    t.same(await listOf(open(t), EVERYTHING, await open(t).apps.page(EVERYTHING, 5)), [])
  })

  test(`${engine}: apps of one descriptive name are in the order of their ids`, async t => {
    const stores = await filled(t)
    for (const owner of [
      { type: 'Organization', id: 1 },
      { type: 'User', id: 2 },
      { type: 'User', id: 1 }
    ] as const) {
      await stores.apps.insert(newApp({ descriptiveName: 'Zebra', owner }), ANYBODY)
    }
    const { until } = await stores.apps.page(EVERYTHING, 25)
    t.same(
      (await listOf(stores, EVERYTHING, { after: until })).map(({ id }) => id),
      [26, 27]
    )
  })

  test(`${engine}: the sample is loaded once`, async t => {
    const stores = await filled(t)
    t.equal(await stores.loadSample(sample, 'no hash', ANYBODY.origin), false)
    t.equal((await listOf(stores)).length, 24)
  })

  test(`${engine}: a closed database does not answer`, async t => {
    const stores = open(t)
    await stores.ping()
    stores.close()
    await t.rejects(stores.ping())
  })
}

contract('SQLite', t => {
  const stores = openStores(`file:${join(temporaryFolder(t), 'test.db')}`)
  t.teardown(() => {
    stores.close()
  })
  return stores
})
