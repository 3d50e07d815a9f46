import { test } from 'tap'
import type { Test } from 'tap'
import type { OrganizationReads } from '../../domain/organizations/rows.ts'
import type { Transactor } from '../../domain/transactor.ts'
import { after, AT, insertUsers } from './people.ts'

const reading =
  ({ read }: Transactor) =>
  async <T>(work: (organizations: OrganizationReads) => Promise<T>): Promise<T> =>
    await read(async ({ organizations }) => await work(organizations))

const fields = (name: string) => ({ name, billingEmail: `${name.toLowerCase()}@example.com` })

/** Stores two organizations, and two users who are members of neither. */
const populate = async (transactor: Transactor) => {
  const [ada, ben] = await insertUsers(transactor, 'Ada', 'Ben')
  if (ada === undefined || ben === undefined) throw new Error('a user was not stored')
  const [north, south] = await transactor.write(async ({ organizations }) => [
    await organizations.insert(fields('North'), AT),
    await organizations.insert(fields('South'), AT)
  ])
  return { ada, ben, north, south }
}

/** Defines the tests that `OrganizationRows` must pass on every engine. `open` opens a new, empty database. */
export const organizationRowsContract = (engine: string, open: (t: Test) => Promise<Transactor>): void => {
  recordContract(engine, open)
  memberContract(engine, open)
}

const recordContract = (engine: string, open: (t: Test) => Promise<Transactor>): void => {
  test(`${engine}: an organization can be stored, changed, and removed with its memberships`, async t => {
    const transactor = await open(t)
    const read = reading(transactor)
    t.ok(await read(async organizations => await organizations.isEmpty()))
    const { ada, north, south } = await populate(transactor)
    t.notOk(await read(async organizations => await organizations.isEmpty()))
    t.strictSame(north, { id: north.id, name: 'North', billingEmail: 'north@example.com' })
    await transactor.write(async ({ organizations }) => {
      await organizations.update(north.id, { name: 'Northwind' }, after(1))
      await organizations.setRole(north.id, ada.id, 'admin')
    })
    const find = async (id: number) => await read(async organizations => await organizations.find(id))
    t.strictSame(await find(north.id), { ...north, name: 'Northwind' })
    t.strictSame(await find(south.id), south)
    await transactor.write(async ({ organizations }) => {
      await organizations.remove(north.id)
    })
    t.equal(await find(north.id), null)
    t.equal(await read(async organizations => await organizations.countMemberships(ada.id)), 0)
    t.strictSame(await find(south.id), south)
  })

  test(`${engine}: all organizations, or only a user's organizations, are listed by id`, async t => {
    const transactor = await open(t)
    const { ada, ben, north, south } = await populate(transactor)
    await transactor.write(async ({ organizations }) => {
      await organizations.setRole(south.id, ada.id, 'guest')
    })
    const page = async (limit: number, from: number, userId: number | null) =>
      await reading(transactor)(async organizations => await organizations.page({ limit, after: from, userId }))
    t.strictSame(await page(9, 0, null), [north, south])
    t.strictSame(await page(1, 0, null), [north])
    t.strictSame(await page(1, north.id, null), [south])
    t.strictSame(await page(9, 0, ada.id), [south])
    t.strictSame(await page(9, south.id, ada.id), [])
    t.strictSame(await page(9, 0, ben.id), [])
    t.strictSame(await page(0, 0, null), [])
    t.strictSame(await page(9, Number.MAX_SAFE_INTEGER, ada.id), [])
    const read = reading(transactor)
    t.equal(await read(async organizations => await organizations.find(Number.MAX_SAFE_INTEGER)), null)
    t.strictSame(await read(async organizations => await organizations.memberships(ada.id, { limit: 0 })), [])
  })
}

const memberContract = (engine: string, open: (t: Test) => Promise<Transactor>): void => {
  test(`${engine}: a user has a single role in each of their organizations`, async t => {
    const transactor = await open(t)
    const read = reading(transactor)
    const { ada, ben, north, south } = await populate(transactor)
    await transactor.write(async ({ organizations }) => {
      await organizations.setRole(south.id, ada.id, 'guest')
      await organizations.setRole(north.id, ben.id, 'admin')
      await organizations.setRole(north.id, ada.id, 'member')
      await organizations.setRole(north.id, ada.id, 'admin')
    })
    t.strictSame(await read(async organizations => await organizations.members(north.id)), [
      { id: ada.id, name: 'Ada', email: 'ada@example.com', role: 'admin' },
      { id: ben.id, name: 'Ben', email: 'ben@example.com', role: 'admin' }
    ])
    const memberships = [
      { organizationId: north.id, role: 'admin' },
      { organizationId: south.id, role: 'guest' }
    ]
    const membershipsOf = async (id: number, limit: number) =>
      await read(async organizations => await organizations.memberships(id, { limit }))
    t.strictSame(await membershipsOf(ada.id, 9), memberships)
    t.strictSame(await membershipsOf(ada.id, 1), memberships.slice(0, 1))
    const roleOf = async (id: number, userId: number) =>
      await read(async organizations => await organizations.roleOf(id, userId))
    t.same([await roleOf(south.id, ada.id), await roleOf(south.id, ben.id)], ['guest', null])
    t.same(
      [
        await read(async organizations => await organizations.countMembers(north.id)),
        await read(async organizations => await organizations.countAdmins(north.id)),
        await read(async organizations => await organizations.countAdmins(south.id)),
        await read(async organizations => await organizations.countMemberships(ada.id))
      ],
      [2, 2, 0, 2]
    )
    await transactor.write(async ({ organizations }) => {
      await organizations.removeMember(north.id, ada.id)
    })
    t.same([await roleOf(north.id, ada.id), await roleOf(north.id, ben.id)], [null, 'admin'])
    t.equal(await roleOf(south.id, ada.id), 'guest')
  })

  test(`${engine}: a user is the only admin of an organization if no other user is an admin there`, async t => {
    const transactor = await open(t)
    const { ada, ben, north, south } = await populate(transactor)
    const isOnlyAdmin = async (id: number): Promise<boolean> =>
      await reading(transactor)(async organizations => await organizations.isOnlyAdmin(id))
    const setRole = async (id: number, userId: number, role: 'admin' | 'member'): Promise<void> => {
      await transactor.write(async ({ organizations }) => {
        await organizations.setRole(id, userId, role)
      })
    }
    t.notOk(await isOnlyAdmin(ada.id), 'a user without organizations')
    await setRole(north.id, ada.id, 'admin')
    await setRole(north.id, ben.id, 'member')
    await setRole(south.id, ben.id, 'admin')
    t.same([await isOnlyAdmin(ada.id), await isOnlyAdmin(ben.id)], [true, true])
    await setRole(north.id, ben.id, 'admin')
    t.same([await isOnlyAdmin(ada.id), await isOnlyAdmin(ben.id)], [false, true])
    await setRole(south.id, ada.id, 'admin')
    t.same([await isOnlyAdmin(ada.id), await isOnlyAdmin(ben.id)], [false, false])
  })
}
