import { test } from 'tap'
import type { Test } from 'tap'
import { mayDo } from '../../domain/access/rules.ts'
import type { App, NewApp, Owner } from '../../domain/apps/app.ts'
import type { AppFilter, AppReads, AppRows, ListPosition } from '../../domain/apps/rows.ts'
import type { AppRange, AppStore } from '../../domain/apps/store.ts'
import { RequestCancelled } from '../../domain/errors.ts'
import { at } from '../helper.ts'
import { after, AT, insertUsers } from './people.ts'

/** An engine. If it's reached over a network, `skipPorts` replaces taking each port, which would take too long. */
export interface TestStore extends AppStore {
  /** Marks each port up to `last` as taken. */
  readonly skipPorts?: (last: number) => Promise<void>
}

type Open = (t: Test) => Promise<TestStore>

const EVERYTHING: AppFilter = { userId: null, includeDiscarded: false, tags: [] }
const [FIRST_PORT, LAST_PORT] = [3001, 65_535]

const user = (id: number): Owner => ({ type: 'User', id })
const organization = (id: number): Owner => ({ type: 'Organization', id })

interface Fixture {
  read: <T>(work: (apps: AppReads) => Promise<T>) => Promise<T>
  write: <T>(work: (apps: AppRows) => Promise<T>) => Promise<T>
  /** Stores an app that belongs to Ada, on a separate port. */
  add: (change?: Partial<NewApp>) => Promise<App>
  /** Returns the apps that match a filter, in batches. */
  batches: (filter?: Partial<AppFilter>, range?: AppRange) => Promise<App[][]>
  /** Returns all apps that match a filter, in order. */
  list: (filter?: Partial<AppFilter>) => Promise<App[]>
  /** Returns the positions of a page's apps, after checking that the list starts with the same apps. */
  positions: (filter: Partial<AppFilter>, range?: AppRange) => Promise<ListPosition[]>
  ada: Owner
  ben: Owner
  north: Owner
}

/** Stores two users and an organization that has neither apps nor members, and returns functions for their apps. */
const openFixture = async (t: Test, store: AppStore): Promise<Fixture> => {
  const [ada, ben] = (await insertUsers(store, 'Ada', 'Ben')).map(({ id }) => user(id))
  const north = await store.write(
    async ({ organizations }) => await organizations.insert({ name: 'North', billingEmail: 'n@example.com' }, AT)
  )
  if (ada === undefined || ben === undefined) throw new Error('a user was not stored')
  const read: Fixture['read'] = async work => await store.read(async ({ apps }) => await work(apps))
  const write: Fixture['write'] = async work => await store.write(async ({ apps }) => await work(apps))
  const batches: Fixture['batches'] = async (filter, range = {}) => {
    const page = await store.listApps({ ...EVERYTHING, ...filter }, range)
    return await collect(page.batches)
  }
  const list: Fixture['list'] = async filter => (await batches(filter)).flat()
  let made = 0
  return {
    read,
    write,
    ada,
    ben,
    north: organization(north.id),

    add: async change => {
      const number = ++made
      const app = {
        name: number.toString(16).padStart(14, '0'),
        descriptiveName: `App ${number}`,
        panels: null,
        schedule: null,
        owner: ada,
        createdAt: AT,
        ...change
      }
      return await write(async apps => await apps.insert(app, Number(await apps.takePort())))
    },

    batches,
    list,

    positions: async (filter, { limit = 1000, after: start } = {}) => {
      const whole = (await batches(filter, { after: start })).flat()
      const { batches: shown, next } = await store.listApps({ ...EVERYTHING, ...filter }, { limit, after: start })
      t.strictSame((await collect(shown)).flat(), whole.slice(0, limit))
      const last = whole.length > limit ? whole.slice(0, limit).at(-1) : undefined
      t.strictSame(next, last === undefined ? null : positionOf(last))
      return whole.slice(0, limit).map(positionOf)
    }
  }
}

const collect = async <T>(batches: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const batch of batches) all.push(batch)
  return all
}

const positionOf = ({ descriptiveName, id }: App): ListPosition => ({ descriptiveName, id })
const namesOf = (apps: readonly App[]): string[] => apps.map(({ descriptiveName }) => descriptiveName)

/** Defines the tests that `AppRows` must pass on every engine. `open` opens a new, empty database. */
export const appRowsContract = (engine: string, open: Open): void => {
  recordContract(engine, open)
  portContract(engine, open)
  ownerContract(engine, open)
  tagContract(engine, open)
  grantContract(engine, open)
  listContract(engine, open)
  batchContract(engine, open)
}

const recordContract = (engine: string, open: Open): void => {
  test(`${engine}: an app is found by name and by id, with its stored fields`, async t => {
    const { read, add, north } = await openFixture(t, await open(t))
    t.ok(await read(async apps => await apps.isEmpty()))
    const wanted = { name: 'ba6811fb3e073d', descriptiveName: 'Größe "1"', panels: '{"a":"\\"ü"}', schedule: '{}' }
    const stored = await add({ ...wanted, owner: north })
    t.strictSame(stored, {
      id: stored.id,
      ...wanted,
      owner: north,
      port: FIRST_PORT,
      readableBy: null,
      tags: '[]',
      createdAt: AT,
      updatedAt: AT,
      discardedAt: null
    })
    t.notOk(await read(async apps => await apps.isEmpty()))
    for (const key of [stored.id, stored.name]) {
      t.strictSame(await read(async apps => await apps.find(key)), stored)
      t.strictSame(await read(async apps => await apps.findWithDiscarded(key)), stored)
    }
    for (const key of ['00000000000000', String(stored.id), stored.id + 1, Number.MAX_SAFE_INTEGER]) {
      t.equal(await read(async apps => await apps.find(key)), null)
      t.equal(await read(async apps => await apps.findWithDiscarded(key)), null)
    }
  })

  test(`${engine}: an update changes only the specified fields and the update time`, async t => {
    const { read, write, add } = await openFixture(t, await open(t))
    const [app, other] = [await add({ panels: '{}', schedule: '{}' }), await add()]
    const find = async ({ id }: App) => await read(async apps => await apps.find(id))
    await write(async apps => {
      await apps.update(app.id, { panels: null, descriptiveName: 'Another' }, after(1))
    })
    const changed = { ...app, panels: null, descriptiveName: 'Another', updatedAt: after(1) }
    t.strictSame(await find(app), changed)
    await write(async apps => {
      await apps.update(app.id, { schedule: '{"a":1}' }, after(2))
    })
    t.strictSame(await find(app), { ...changed, schedule: '{"a":1}', updatedAt: after(2) })
    t.strictSame(await find(other), other)
  })

  test(`${engine}: a discarded app is found only if discarded apps are included`, async t => {
    const { read, write, add, list, positions } = await openFixture(t, await open(t))
    const [app, other] = [await add(), await add()]
    await write(async apps => {
      await apps.discard(app.id, after(5))
    })
    const discarded = { ...app, discardedAt: after(5), updatedAt: after(5) }
    for (const key of [app.id, app.name]) {
      t.equal(await read(async apps => await apps.find(key)), null)
      t.strictSame(await read(async apps => await apps.findWithDiscarded(key)), discarded)
    }
    t.strictSame(await list(), [other])
    t.strictSame(await list({ includeDiscarded: true }), [discarded, other])
    t.strictSame(await positions({}), [positionOf(other)])
    t.strictSame(await positions({ includeDiscarded: true }), [positionOf(app), positionOf(other)])
    t.notOk(await read(async apps => await apps.isEmpty()))
  })

  test(`${engine}: an invalid app is rejected, and its transaction is rolled back`, async t => {
    const { write, add, list, ada } = await openFixture(t, await open(t))
    const [app, other] = [await add(), await add()]
    const before = await list()
    const refused: Partial<NewApp>[] = [
      { name: app.name, descriptiveName: 'A name is unique' },
      { descriptiveName: app.descriptiveName },
      { descriptiveName: 'An owner is real', owner: user(99) },
      { descriptiveName: 'An organization is real', owner: organization(99) },
      { descriptiveName: 'Panels are JSON', panels: '{' },
      { descriptiveName: 'A schedule is JSON', schedule: '{' }
    ]
    for (const change of refused) {
      await t.rejects(
        write(async apps => {
          await apps.update(other.id, { panels: '{"not":"kept"}' }, after(1))
          const fields = { name: 'f'.repeat(14), descriptiveName: 'New', panels: null, schedule: null, owner: ada }
          await apps.insert({ ...fields, createdAt: AT, ...change }, Number(await apps.takePort()))
        }),
        Error,
        JSON.stringify(change)
      )
    }
    t.strictSame(await list(), before)
    t.equal((await add()).port, other.port + 1, 'failed transactions do not use up ports')
  })
}

const portContract = (engine: string, open: Open): void => {
  test(`${engine}: concurrent inserts get different ports`, async t => {
    const { write, add } = await openFixture(t, await open(t))
    const made = await Promise.all(Array.from({ length: 20 }, async () => await add()))
    const ports = made.map(({ port }) => port).sort((one, other) => one - other)
    t.same(
      ports,
      ports.map((_, index) => FIRST_PORT + index)
    )
    await write(async apps => {
      await apps.discard(at(made).id, AT)
    })
    t.equal((await add()).port, FIRST_PORT + 20, 'the port of a discarded app is not reused yet')
  })

  test(`${engine}: a port that belongs to an app is skipped`, async t => {
    const { write, add, ada } = await openFixture(t, await open(t))
    const app = { name: 'a'.repeat(14), descriptiveName: 'New', panels: null, schedule: null, owner: ada }
    await write(async apps => await apps.insert({ ...app, createdAt: AT }, FIRST_PORT))
    t.equal((await add()).port, FIRST_PORT + 1)
  })

  test(`${engine}: after the last port, the lowest port without an active app is reused`, async t => {
    const { skipPorts, ...transactor } = await open(t)
    const { write, add } = await openFixture(t, transactor)
    const [first, second] = [await add(), await add()]
    t.same([first.port, second.port], [FIRST_PORT, FIRST_PORT + 1])
    await skipPorts?.(LAST_PORT - 2)
    const last = await write(async apps => {
      let port: number | null = null
      for (let taken = skipPorts === undefined ? second.port : LAST_PORT - 2; taken < LAST_PORT; taken++) {
        port = await apps.takePort()
      }
      return port
    })
    t.equal(last, LAST_PORT)
    t.equal((await add()).port, FIRST_PORT + 2)
    await write(async apps => {
      await apps.discard(first.id, AT)
    })
    t.equal((await add()).port, FIRST_PORT)
    t.equal((await add()).port, FIRST_PORT + 3)
  })
}

const ownerContract = (engine: string, open: Open): void => {
  test(`${engine}: an app has one owner, and can be transferred to another`, async t => {
    const { read, write, add, ada, ben, north } = await openFixture(t, await open(t))
    const app = await add()
    for (const [index, owner] of [north, ben, ada].entries()) {
      await write(async apps => {
        await apps.setOwner(app.id, owner, after(index))
      })
      t.strictSame(await read(async apps => await apps.find(app.id)), { ...app, owner, updatedAt: after(index) })
    }
  })

  test(`${engine}: all of an owner's apps, including discarded ones, can be transferred to another owner`, async t => {
    const { write, add, list, ada, ben, north } = await openFixture(t, await open(t))
    const [kept, discarded, bens] = [await add(), await add(), await add({ owner: ben })]
    await write(async apps => {
      await apps.discard(discarded.id, AT)
      await apps.setOwnerOfAll(ada, north, after(3))
    })
    const moved = { owner: north, updatedAt: after(3) }
    const all = [{ ...kept, ...moved }, { ...discarded, ...moved, discardedAt: AT }, bens]
    t.strictSame(await list({ includeDiscarded: true }), all)
    await write(async apps => {
      await apps.setOwnerOfAll(north, ben, after(4))
    })
    t.same(
      (await list({ includeDiscarded: true })).map(({ owner }) => owner),
      [ben, ben, ben]
    )
  })

  test(`${engine}: all of an owner's apps, including discarded ones, can be removed with their tags and grants`, async t => {
    const { read, write, add, list, ada, ben, north } = await openFixture(t, await open(t))
    const [kept, discarded, bens, norths] = [
      await add(),
      await add(),
      await add({ owner: ben }),
      await add({ owner: north })
    ]
    await write(async apps => {
      for (const { id } of [kept, discarded, bens]) {
        await apps.insertTag(id, { context: 'a', name: 'b' })
        await apps.grant(id, ben.id, 'read')
      }
      await apps.discard(discarded.id, AT)
      await apps.removeAll(ada)
      t.same(await apps.keptNames(ada, { limit: 9 }), [])
      t.equal(await apps.countDiscarded(ada), 0)
    })
    t.same(
      (await list({ includeDiscarded: true })).map(({ id }) => id),
      [bens.id, norths.id]
    )
    await read(async apps => {
      for (const { id } of [kept, discarded]) {
        t.equal(await apps.findWithDiscarded(id), null)
        t.same([await apps.countTags(id), await apps.grantsOn(id)], [0, []])
      }
      t.same([await apps.countTags(bens.id), await apps.permitsOf(bens.id, ben.id)], [1, ['read']])
    })
    await write(async apps => {
      await apps.removeAll(north)
    })
    t.same(
      (await list()).map(({ id }) => id),
      [bens.id]
    )
  })

  test(`${engine}: a descriptive name is taken if another active app of the owner has it with the same capitalization`, async t => {
    const { read, write, add, ada, ben, north } = await openFixture(t, await open(t))
    const app = await add({ descriptiveName: 'Night Shift' })
    await add({ descriptiveName: 'Night Shift', owner: north })
    const isTaken = async (owner: Owner, name: string) => await read(async apps => await apps.isNameTaken(owner, name))
    t.ok(await isTaken(ada, 'Night Shift'))
    t.ok(await isTaken(north, 'Night Shift'))
    t.notOk(await isTaken(ada, 'night shift'))
    t.notOk(await isTaken(ben, 'Night Shift'))
    await write(async apps => {
      await apps.discard(app.id, AT)
    })
    t.notOk(await isTaken(ada, 'Night Shift'))
    await add({ descriptiveName: 'Night Shift' })
    t.ok(await isTaken(ada, 'Night Shift'))
  })

  test(`${engine}: an owner's apps are listed by name, and the discarded ones are counted`, async t => {
    const { read, write, add, ada, ben, north } = await openFixture(t, await open(t))
    const [one, two, three] = [await add(), await add(), await add({ owner: north, descriptiveName: 'App 1' })]
    const names = async (owner: Owner, limit: number) =>
      (await read(async apps => await apps.keptNames(owner, { limit }))).sort()
    const countDiscarded = async (owner: Owner) => await read(async apps => await apps.countDiscarded(owner))
    const share = async (owner: Owner, other: Owner) => await read(async apps => await apps.shareName(owner, other))
    t.same(await names(ada, 9), [one.name, two.name])
    t.equal((await names(ada, 1)).length, 1)
    t.same(await names(ada, 0), [])
    t.same(await names(north, 9), [three.name])
    t.same(await names(ben, 9), [])
    t.ok(await share(ada, north))
    t.ok(await share(north, ada))
    t.notOk(await share(ada, ben))
    await write(async apps => {
      await apps.discard(one.id, AT)
    })
    t.same(await names(ada, 9), [two.name])
    t.same([await countDiscarded(ada), await countDiscarded(north), await countDiscarded(ben)], [1, 0, 0])
    t.notOk(await share(ada, north), 'the name of a discarded app is available')
    t.notOk(await share(north, ada))
    await add({ owner: north, descriptiveName: two.descriptiveName.toLowerCase() })
    t.notOk(await share(ada, north), 'names are case-sensitive')
  })
}

const tagContract = (engine: string, open: Open): void => {
  test(`${engine}: an app's tags stay in the order in which they were added, until they are removed`, async t => {
    const { read, write, add } = await openFixture(t, await open(t))
    const [app, other] = [await add(), await add()]
    const [stage, size] = [
      { context: 'stage', name: 'production' },
      { context: 'Größe', name: 'x"\'\\' }
    ]
    const [first, second] = await write(async apps => [
      await apps.insertTag(app.id, stage),
      await apps.insertTag(app.id, size)
    ])
    t.strictSame(first, { id: first.id, ...stage })
    t.strictSame(second, { id: second.id, ...size })
    const tagsOf = async ({ id }: App): Promise<unknown> =>
      JSON.parse((await read(async apps => await apps.find(id)))?.tags ?? '')
    t.strictSame(await tagsOf(app), [first, second])
    t.strictSame(await tagsOf(other), [])
    await read(async apps => {
      t.strictSame(await apps.findTag(app.id, size), second)
      t.equal(await apps.findTag(app.id, { ...size, name: 'X' }), null)
      t.equal(await apps.findTag(other.id, size), null)
      t.same([await apps.countTags(app.id), await apps.countTags(other.id)], [2, 0])
    })
    await write(async apps => {
      await apps.copyTags(app.id, other.id)
      t.equal(await apps.removeTag(app.id, stage), true)
      t.equal(await apps.removeTag(app.id, stage), false)
    })
    t.strictSame(await tagsOf(app), [second])
    t.match(await tagsOf(other), [stage, size], "the other app's tags remain")
    t.equal(await read(async apps => await apps.countTags(other.id)), 2)
  })

  test(`${engine}: tags are stored in the same form in which JSON.stringify returns them`, async t => {
    const { read, write, add } = await openFixture(t, await open(t))
    const { id } = await add()
    const texts = [
      'plain',
      '"quoted" \\ / \'',
      '\u0001\b\t\n\u000b\f\r\u001f\u007f',
      '\u2028 <&> é 😀',
      '{"a":[null, 1]}'
    ]
    const made = await write(async apps => {
      const tags = []
      for (const text of texts) tags.push(await apps.insertTag(id, { context: text, name: `${text}${text}` }))
      return tags
    })
    t.equal((await read(async apps => await apps.find(id)))?.tags, JSON.stringify(made))
  })

  test(`${engine}: a list that is filtered by several tags contains the apps that have all of them`, async t => {
    const { write, add, list, positions } = await openFixture(t, await open(t))
    const [one, two] = [await add(), await add()]
    await add()
    const [finance, stage] = [
      { context: 'department', name: 'finance' },
      { context: 'stage', name: 'production' }
    ]
    await write(async apps => {
      for (const { id } of [one, two]) await apps.insertTag(id, finance)
      await apps.insertTag(two.id, stage)
    })
    const ids = async (...tags: (typeof finance)[]) => {
      const found = (await list({ tags })).map(({ id }) => id)
      t.same(
        (await positions({ tags })).map(({ id }) => id),
        found
      )
      return found
    }
    t.same(await ids(finance), [one.id, two.id])
    t.same(await ids(finance, stage), [two.id])
    t.same(await ids(stage), [two.id])
    t.same(await ids({ ...finance, name: 'Finance' }), [])
  })
}

const grantContract = (engine: string, open: Open): void => {
  test(`${engine}: each permission is granted at most once, and can be revoked separately`, async t => {
    const transactor = await open(t)
    const { read, write, add, ada, ben } = await openFixture(t, transactor)
    const [app, other] = [await add(), await add()]
    await write(async apps => {
      for (const permit of ['update', 'read', 'update'] as const) await apps.grant(app.id, ben.id, permit)
      await apps.grant(app.id, ada.id, 'revoke')
      await apps.grant(other.id, ben.id, 'destroy')
    })
    t.same(await read(async apps => await apps.grantsOn(app.id)), [
      { userId: ada.id, permits: ['revoke'] },
      { userId: ben.id, permits: ['read', 'update'] }
    ])
    await write(async apps => {
      await apps.revokeGrant(app.id, ben.id, 'read')
      await apps.revokeGrant(app.id, ben.id, 'transfer')
      await apps.revokeGrant(app.id, ada.id, 'revoke')
    })
    await read(async apps => {
      t.same(await apps.permitsOf(app.id, ben.id), ['update'])
      t.same(await apps.permitsOf(app.id, ada.id), [])
      t.same(await apps.permitsOf(other.id, ben.id), ['destroy'])
      t.same(await apps.grantsOn(app.id), [{ userId: ben.id, permits: ['update'] }])
    })
  })

  test(`${engine}: a user's relationship with an app depends on the owner, roles and grants`, async t => {
    const transactor = await open(t)
    const { read, write, add, ada, ben, north } = await openFixture(t, transactor)
    const [adas, norths] = [await add(), await add({ owner: north })]
    const nothing = { isOwner: false, role: null, grants: 0, isPublic: false, isDiscarded: false }
    const relationship = async (app: App, { id }: Owner) =>
      await read(async apps => await apps.relationship((await apps.findWithDiscarded(app.id)) ?? app, id))
    t.same(await relationship(adas, ada), { ...nothing, isOwner: true })
    t.same(await relationship(adas, ben), nothing)
    t.same(await relationship(norths, ada), nothing)
    await transactor.write(async ({ organizations, apps }) => {
      await organizations.setRole(north.id, ben.id, 'guest')
      await apps.grant(norths.id, ben.id, 'update')
      await apps.grant(norths.id, ben.id, 'revoke')
    })
    t.same(await relationship(norths, ben), { ...nothing, role: 'guest', grants: 2 + 32 })
    t.same(await relationship(adas, ben), nothing, 'a role in an organization that does not own the app')
    await write(async apps => {
      await apps.discard(adas.id, AT)
    })
    t.same(await relationship(adas, ada), { ...nothing, isOwner: true, isDiscarded: true })
  })
}

const listContract = (engine: string, open: Open): void => {
  test(`${engine}: a list is sorted by code points, then by id`, async t => {
    const { add, list, positions, ada, ben, north } = await openFixture(t, await open(t))
    const names = ['zebra', 'Äpfel', 'apple', 'Zebra', 'Apple', '~', '😀', '￼']
    for (const descriptiveName of names) await add({ descriptiveName })
    const same = [ben, north].map(async owner => await add({ descriptiveName: 'Zebra', owner }))
    await Promise.all(same)
    const all = await list()
    t.same(namesOf(all), ['Apple', 'Zebra', 'Zebra', 'Zebra', 'apple', 'zebra', '~', 'Äpfel', '￼', '😀'])
    const zebras = all.filter(({ descriptiveName }) => descriptiveName === 'Zebra')
    t.same(
      zebras.map(({ owner }) => owner),
      [ada, ben, north]
    )
    t.ok(at(zebras).id < at(zebras, 1).id && at(zebras, 1).id < at(zebras, 2).id)
    t.strictSame(await positions({}), all.map(positionOf))
  })

  test(`${engine}: a page starts after a position, and contains at most the requested number of apps`, async t => {
    const { add, positions, ada, ben } = await openFixture(t, await open(t))
    t.same(await positions({}), [])
    for (let i = 0; i < 9; i++) await add()
    await add({ owner: ben })
    const all = await positions({})
    t.equal(all.length, 10)
    for (const start of [0, 3, 8, 9]) {
      t.same(await positions({}, { after: at(all, start) }), all.slice(start + 1))
      t.same(await positions({}, { after: at(all, start), limit: 2 }), all.slice(start + 1, start + 3))
      t.same(await positions({}, { limit: start + 1 }), all.slice(0, start + 1))
    }
    t.same(
      await positions({}, { after: { descriptiveName: 'App 1', id: 0 } }),
      all,
      'a position without an app is valid'
    )
    t.same(await positions({}, { after: { descriptiveName: 'App 1', id: 1000 } }), all.slice(1))
    t.same(await positions({}, { after: { descriptiveName: 'b', id: 0 } }), [])
    const adas = all.slice(0, 1).concat(all.slice(2))
    t.same(await positions({ userId: ada.id }), adas)
    t.same(await positions({ userId: ada.id }, { after: at(adas, 2), limit: 3 }), adas.slice(3, 6))
    t.same(await positions({ userId: ben.id }), all.slice(1, 2))
    t.same(await positions({}, { limit: 0 }), [])
    t.same(await positions({ userId: ben.id }, { limit: 0 }), [])
    t.same(await positions({ userId: Number.MAX_SAFE_INTEGER }), [])
    t.same(await positions({}, { after: { descriptiveName: '\u{10ffff}', id: Number.MAX_SAFE_INTEGER } }), [])
  })

  test(`${engine}: the list for a user who may read few apps contains exactly those apps`, async t => {
    const transactor = await open(t)
    const { read, write, add, list, positions, ada, ben, north } = await openFixture(t, transactor)
    const [adas, norths, bens, granted] = [
      await add(),
      await add({ owner: north }),
      await add({ owner: ben }),
      await add({ owner: north })
    ]
    await transactor.write(async ({ organizations, apps }) => {
      await organizations.setRole(north.id, ada.id, 'member')
      await apps.grant(granted.id, ben.id, 'destroy')
      await apps.discard(norths.id, AT)
      await apps.discard(adas.id, AT)
    })
    const idsOf = async (userId: number | null) =>
      (await list({ userId, includeDiscarded: true })).map(({ id }) => id).sort()
    t.same(await idsOf(null), [adas.id, norths.id, bens.id, granted.id])
    t.same(await idsOf(ada.id), [adas.id, granted.id])
    t.same(await idsOf(ben.id), [bens.id, granted.id])
    const everyApp = await list({ includeDiscarded: true })
    for (const { id: userId } of [ada, ben]) {
      const filter = { userId, includeDiscarded: true }
      const readable: App[] = []
      for (const app of everyApp) {
        if (mayDo(await read(async apps => await apps.relationship(app, userId)), 'read')) readable.push(app)
      }
      t.strictSame(await list(filter), readable)
      t.strictSame(await positions(filter), readable.map(positionOf))
      t.strictSame(
        await list({ userId }),
        readable.filter(({ discardedAt }) => discardedAt === null)
      )
    }
    await write(async apps => {
      await apps.revokeGrant(granted.id, ben.id, 'destroy')
    })
    t.strictSame(await list({ userId: ben.id }), [bens])
  })
}

/** More apps than can be looked up by their ids: see `MAX_LOOKED_UP`. */
const MANY = 2300
const SOME = 250

const batchContract = (engine: string, open: Open): void => {
  test(`${engine}: a list of many or large apps is read in batches`, async t => {
    const { add, batches, list, positions } = await openFixture(t, await open(t))
    for (let i = 0; i < 600; i++) await add({ descriptiveName: `Many ${String(i).padStart(3, '0')}` })
    const large = JSON.stringify({ text: 'x'.repeat(200_000) })
    for (let i = 0; i < 4; i++) await add({ descriptiveName: `Large ${i}`, panels: large, schedule: large })
    const all = await list()
    t.equal(new Set(all.map(({ id }) => id)).size, 604)
    t.same(namesOf(all), namesOf(all).sort())

    const afterLarge = { after: positionOf(at(all, 3)) }
    for (const range of [{}, { limit: 1000 }]) {
      const whole = await batches({}, range)
      t.ok(at(whole).length <= 2, 'a batch contains at most two large apps')
      t.ok(whole.length > 4, `${whole.length} batches`)
      t.strictSame(whole.flat(), all)
      const many = at(await batches({}, { ...range, ...afterLarge }))
      t.ok(many.length > 2 && many.length < 600, 'a batch contains more than two small apps, but not all')
      t.strictSame(many, all.slice(4, 4 + many.length))
      t.same(await batches({}, { ...range, after: positionOf(at(all, 603)) }), [[]])
    }

    t.same(await positions({}, { after: positionOf(at(all, 600)) }), all.slice(601).map(positionOf))
    t.same(await positions({ tags: [{ context: 'no', name: 'app' }] }, { limit: 1 }), [])
  })

  test(`${engine}: a page contains only apps that still match the filter when they are read`, async t => {
    const store = await open(t)
    const { write, add, ada, ben, north } = await openFixture(t, store)
    for (let i = 0; i < 5; i++) await add()
    const filter = { ...EVERYTHING, userId: ada.id }
    const idsOf = async (page: Awaited<ReturnType<AppStore['listApps']>>) =>
      (await collect(page.batches)).flat().map(({ id }) => id)
    const all = await idsOf(await store.listApps(filter, { limit: 9 }))
    t.equal(all.length, 5)
    const page = await store.listApps(filter, { limit: 9 })
    await write(async apps => {
      await apps.discard(at(all, 1), AT)
      await apps.setOwner(at(all, 3), north, AT)
    })
    await add()
    t.same(await idsOf(page), [at(all, 0), at(all, 2), at(all, 4)])
    const none = await store.listApps({ ...filter, userId: ben.id }, { limit: 9 })
    t.equal(none.next, null)
    t.same(await collect(none.batches), [[]])
  })

  test(`${engine}: the list for a user who may read many apps contains exactly those apps`, async t => {
    const store = await open(t)
    const { write, list, positions, ada, ben, north } = await openFixture(t, store)
    await write(async apps => {
      const insertOne = async (i: number): Promise<void> => {
        const name = i.toString(16).padStart(14, '0')
        // One app in twelve belongs to another owner.
        const owner = i % 12 === 0 ? north : ben
        const fields = { name, descriptiveName: `App ${name}`, panels: null, schedule: null, owner, createdAt: AT }
        const { id } = await apps.insert(fields, 10_000 + i)
        if (i % 500 === 1) await apps.insertTag(id, { context: 'a', name: 'b' })
        if (i % 700 === 2) await apps.discard(id, AT)
        if (i % 800 === 0) await apps.grant(id, ada.id, 'read')
      }
      // Uses several transactions, because a transaction that sends nothing for a second is aborted.
      for (let first = 0; first < MANY; first += SOME) {
        await Promise.all(
          Array.from({ length: Math.min(SOME, MANY - first) }, async (_, i) => {
            await insertOne(first + i)
          })
        )
      }
    })
    const everyApp = await list({ includeDiscarded: true })
    const bens = everyApp.filter(({ owner }) => owner.type === 'User')
    t.ok(bens.length > 2000)
    t.strictSame(await list({ userId: ben.id, includeDiscarded: true }), bens)
    const kept = bens.filter(({ discardedAt }) => discardedAt === null)
    t.strictSame(await list({ userId: ben.id }), kept)
    const places = kept.map(positionOf)
    t.strictSame(await positions({ userId: ben.id }, { limit: 700 }), places.slice(0, 700))
    const rest = { limit: 5000, after: at(places, 1900) }
    t.strictSame(await positions({ userId: ben.id }, rest), places.slice(1901))
    const tagged = await positions({ userId: ben.id, tags: [{ context: 'a', name: 'b' }] }, { limit: 3 })
    t.same(
      tagged.map(({ descriptiveName }) => parseInt(descriptiveName.slice(4), 16)),
      [1, 501, 1001]
    )
    t.equal((await list({ userId: ada.id })).length, 3, 'another user may read only three apps')
  })

  test(`${engine}: a list stops being read when its signal is aborted`, async t => {
    const store = await open(t)
    const { add } = await openFixture(t, store)
    const large = JSON.stringify({ text: 'x'.repeat(200_000) })
    for (let i = 0; i < 4; i++) await add({ panels: large, schedule: large })
    for (const range of [{}, { limit: 9 }]) {
      const controller = new AbortController()
      const { batches } = await store.listApps(EVERYTHING, range, { signal: controller.signal })
      t.equal((await batches.next()).done, false)
      controller.abort()
      await t.rejects(batches.next(), new RequestCancelled())
      t.equal((await batches.next()).done, true)
    }
  })
}
