import { test } from 'tap'
import type { Test } from 'tap'
import type { Transactor } from '../../domain/transactor.ts'
import type { UserFilter, UserReads } from '../../domain/users/rows.ts'
import { at } from '../helper.ts'
import { after, AT, insertApp, insertUsers, newSession, newUser } from './people.ts'

const reading =
  ({ read }: Transactor) =>
  async <T>(work: (users: UserReads) => Promise<T>): Promise<T> =>
    await read(async ({ users }) => await work(users))

/** Defines the tests that `UserRows` must pass on every engine. `open` opens a new, empty database. */
export const userRowsContract = (engine: string, open: (t: Test) => Promise<Transactor>): void => {
  recordContract(engine, open)
  grantContract(engine, open)
  sessionContract(engine, open)
}

const recordContract = (engine: string, open: (t: Test) => Promise<Transactor>): void => {
  test(`${engine}: a user is stored with the specified fields, and with defaults for the others`, async t => {
    const transactor = await open(t)
    const read = reading(transactor)
    t.ok(await read(async users => await users.isEmpty()))
    const [ada, ben] = await transactor.write(async ({ users }) => [
      await users.insert(newUser('Ada', { role: 'admin', colorTheme: 'dark', accountLocked: true, passwordHash: 'h' })),
      await users.insert(newUser('Ben'))
    ])
    t.ok(ben.id > ada.id)
    const { id } = ada
    const whole = { id, name: 'Ada', email: 'ada@example.com', role: 'admin', colorTheme: 'dark', createdAt: AT }
    t.strictSame(ada, { ...whole, accountLocked: true })
    t.match(ben, { role: 'member', colorTheme: null, accountLocked: false })
    t.strictSame(await read(async users => await users.find(id)), ada)
    t.strictSame(await read(async users => await users.findAccount(id)), { user: ada, passwordHash: 'h' })
    t.strictSame(await read(async users => await users.findAccount(ben.id)), { user: ben, passwordHash: null })
    t.notOk(await read(async users => await users.isEmpty()))
    for (const missing of [
      await read(async users => await users.find(99)),
      await read(async users => await users.findAccount(99)),
      await read(async users => await users.findAccountByEmail('nobody@example.com'))
    ]) {
      t.equal(missing, null)
    }
  })

  test(`${engine}: e-mail addresses are unique and case-insensitive`, async t => {
    const transactor = await open(t)
    const { write } = transactor
    const made = await write(async ({ users }) => await users.insert(newUser('Ada', { email: 'Ada@Example.com' })))
    const found = await reading(transactor)(async users => await users.findAccountByEmail('ada@example.com'))
    t.equal(found?.user.id, made.id)
    await t.rejects(write(async ({ users }) => await users.insert(newUser('Ada'))))
  })

  test(`${engine}: in an e-mail address, case is ignored only for the letters A to Z`, async t => {
    const transactor = await open(t)
    const [upper, lower] = await transactor.write(async ({ users }) => [
      await users.insert(newUser('Upper', { email: 'ÄDA@Example.com' })),
      await users.insert(newUser('Lower', { email: 'äda@example.com' }))
    ])
    const find = async (email: string) =>
      await reading(transactor)(async users => (await users.findAccountByEmail(email))?.user)
    t.strictSame(await find('Äda@example.com'), upper)
    t.strictSame(await find('äda@example.com'), lower)
    t.equal(await find('ÄDA@Example.com'), undefined)
  })

  test(`${engine}: a page may be empty, and an unknown id can be looked up`, async t => {
    const transactor = await open(t)
    const [ada] = await insertUsers(transactor, 'Ada')
    const read = reading(transactor)
    const largest = Number.MAX_SAFE_INTEGER
    t.same(await read(async users => await users.page({ limit: 0, after: 0 })), [])
    t.same(await read(async users => await users.page({ limit: largest, after: -1 })), [ada])
    t.same(await read(async users => await users.page({ limit: 9, after: largest })), [])
    t.equal(await read(async users => await users.find(largest)), null)
    t.equal(await read(async users => await users.findAccount(-largest)), null)
    t.same(await read(async users => await users.grants(largest, { limit: 0, includeDiscarded: true })), [])
    t.equal(await read(async users => await users.countGrants(largest)), 0)
    t.same(await read(async users => await users.sessions(largest, AT)), [])
  })

  test(`${engine}: a transaction finds its own writes`, async t => {
    const { write } = await open(t)
    await write(async ({ users, apps, organizations }) => {
      t.ok(await apps.isEmpty())
      t.ok(await users.isEmpty())
      t.ok(await organizations.isEmpty())
      const ada = await users.insert(newUser('Ada', { passwordHash: 'h' }))
      const account = { user: ada, passwordHash: 'h' }
      const session = newSession('one', ada.id)
      await users.insertSession(session)
      t.notOk(await users.isEmpty())
      t.strictSame(await users.find(ada.id), ada)
      t.strictSame(await users.findAccount(ada.id), account)
      t.strictSame(await users.findAccountByEmail(ada.email), account)
      t.strictSame(await users.findSessionAccount('one'), account)
      t.equal(await users.findSessionAccount('other'), null)
      const { id } = await organizations.insert({ name: 'O', billingEmail: 'o@example.com' }, AT)
      t.equal((await organizations.find(id))?.name, 'O')
      t.equal(await organizations.find(id + 1), null)
      t.equal(await organizations.roleOf(id, ada.id), null)
      await organizations.setRole(id, ada.id, 'admin')
      t.equal(await organizations.roleOf(id, ada.id), 'admin')
      t.ok(await organizations.isOnlyAdmin(ada.id))
      const [own, shared] = [
        await insertApp({ apps }, 'a'.repeat(14), { type: 'User', id: ada.id }),
        await insertApp({ apps }, 'b'.repeat(14), { type: 'Organization', id })
      ]
      t.strictSame(await apps.find(own.id), own)
      t.strictSame(await apps.find(own.name), own)
      t.equal(await apps.find(shared.id + 1), null)
      t.match(await apps.relationship(own, ada.id), { isOwner: true, role: null })
      t.match(await apps.relationship(shared, ada.id), { isOwner: false, role: 'admin' })
      t.same(await apps.keptNames({ type: 'User', id: ada.id }, { limit: 9 }), [own.name])
      await apps.discard(own.id, AT)
      t.equal(await apps.find(own.id), null)
      t.ok(await apps.findWithDiscarded(own.name))
    })
  })

  test(`${engine}: users are listed by id`, async t => {
    const transactor = await open(t)
    const [ada, ben, chiara] = await insertUsers(transactor, 'Ada', 'Ben', 'Chiara')
    const page = async (limit: number, from: number) =>
      await reading(transactor)(async users => await users.page({ limit, after: from }))
    t.strictSame(await page(2, 0), [ada, ben])
    t.strictSame(await page(2, Number(ben?.id)), [chiara])
    t.strictSame(await page(2, Number(chiara?.id)), [])
  })

  test(`${engine}: a page contains only users that match the filter`, async t => {
    const transactor = await open(t)
    const [ada, adam, ben] = await transactor.write(async ({ users }) => [
      await users.insert(newUser('Ada', { role: 'admin', accountLocked: true })),
      await users.insert(newUser('Adam', { email: 'Älfred@Example.com' })),
      await users.insert(newUser('Ben'))
    ])
    const filters: [filter: UserFilter, found: unknown[]][] = [
      [{}, [ada, adam, ben]],
      [{ role: 'admin' }, [ada]],
      [{ role: 'member' }, [adam, ben]],
      [{ accountLocked: true }, [ada]],
      [{ accountLocked: false }, [adam, ben]],
      [{ namePrefix: 'Ada' }, [ada, adam]],
      [{ namePrefix: 'ada' }, []],
      [{ namePrefix: '%' }, []],
      [{ emailPrefix: 'ben@' }, [ben]],
      [{ emailPrefix: 'Älfred@example' }, [adam]],
      [{ role: 'member', accountLocked: false, namePrefix: 'A', emailPrefix: '' }, [adam]]
    ]
    for (const [filter, found] of filters) {
      const page = await reading(transactor)(async users => await users.page({ limit: 9, after: 0 }, filter))
      t.strictSame(page, found, JSON.stringify(filter))
    }
    t.strictSame(
      await reading(transactor)(async users => await users.page({ limit: 1, after: adam.id }, { role: 'member' })),
      [ben]
    )
  })

  test(`${engine}: an update to a user changes only the specified fields`, async t => {
    const transactor = await open(t)
    const [ada, ben] = await insertUsers(transactor, 'Ada', 'Ben')
    const id = Number(ada?.id)
    const change = { name: 'A', colorTheme: 'dark', passwordHash: 'h' }
    await transactor.write(async ({ users }) => {
      await users.update(id, change, after(1))
    })
    const read = reading(transactor)
    t.strictSame(await read(async users => await users.findAccount(id)), {
      user: { ...ada, name: 'A', colorTheme: 'dark' },
      passwordHash: 'h'
    })
    t.strictSame(await read(async users => await users.find(Number(ben?.id))), ben)
  })
}

const grantContract = (engine: string, open: (t: Test) => Promise<Transactor>): void => {
  test(`${engine}: each app for which a user has permissions is listed once, ordered by id`, async t => {
    const transactor = await open(t)
    const [ada, ben] = await insertUsers(transactor, 'Ada', 'Ben')
    const [adaId, benId] = [Number(ada?.id), Number(ben?.id)]
    const ids = await transactor.write(async tx => {
      const organizationIds: number[] = []
      for (const role of ['admin', 'member', 'guest'] as const) {
        const { id } = await tx.organizations.insert({ name: role, billingEmail: `${role}@example.com` }, AT)
        await tx.organizations.setRole(id, adaId, role)
        organizationIds.push(id)
      }
      const owners = [
        { type: 'User', id: benId } as const,
        { type: 'User', id: adaId } as const,
        ...organizationIds.map(id => ({ type: 'Organization', id }) as const),
        { type: 'User', id: benId } as const,
        { type: 'User', id: adaId } as const,
        { type: 'User', id: benId } as const
      ]
      const made: number[] = []
      for (const [index, owner] of owners.entries()) made.push((await insertApp(tx, `app${index}`, owner)).id)
      const [granted = 0, own = 0, , , , discarded = 0, ownDiscarded = 0] = made
      for (const app of [granted, discarded, own]) {
        await tx.apps.grant(app, adaId, 'update')
        await tx.apps.grant(app, adaId, 'read')
      }
      for (const app of [discarded, ownDiscarded]) await tx.apps.discard(app, AT)
      return made
    })
    const all = ['read', 'update', 'destroy', 'transfer', 'grant', 'revoke']
    const expected = [
      { appId: ids[0], appName: 'app0', permits: ['read', 'update'] },
      { appId: ids[1], appName: 'app1', permits: all },
      { appId: ids[2], appName: 'app2', permits: all }
    ]
    const read = async (page: Parameters<UserReads['permittedApps']>[1]) =>
      await reading(transactor)(async users => await users.permittedApps(adaId, page))
    t.strictSame(await read({ limit: 9 }), expected)
    t.strictSame(await read({ limit: 2 }), expected.slice(0, 2))
    t.strictSame(await read({ limit: 9, after: ids[1] }), expected.slice(2))
    t.strictSame(await read({ limit: 9, after: ids[2] }), [])
  })

  test(`${engine}: a user's grants are listed for each app, and counted for each permission`, async t => {
    const transactor = await open(t)
    const [ada, ben] = await insertUsers(transactor, 'Ada', 'Ben')
    const [owner, userId] = [{ type: 'User' as const, id: Number(ada?.id) }, Number(ben?.id)]
    const [first, second, gone] = await transactor.write(async tx => {
      const made = []
      for (const name of ['a', 'b', 'c']) made.push(await insertApp(tx, name.repeat(14), owner))
      const [one, two, three] = [at(made, 0), at(made, 1), at(made, 2)]
      for (const { id } of made) await tx.apps.grant(id, userId, 'update')
      await tx.apps.grant(one.id, userId, 'read')
      await tx.apps.discard(three.id, after(1))
      return [one, two, three] as const
    })
    const grantsOf = async (id: number, page: Parameters<UserReads['grants']>[1]) =>
      await reading(transactor)(async users => await users.grants(id, page))
    const expected = [
      { appId: first.id, appName: first.name, permits: ['read', 'update'] },
      { appId: second.id, appName: second.name, permits: ['update'] },
      { appId: gone.id, appName: gone.name, permits: ['update'] }
    ]
    t.strictSame(await grantsOf(userId, { limit: 9, includeDiscarded: true }), expected)
    t.strictSame(await grantsOf(userId, { limit: 9, includeDiscarded: false }), expected.slice(0, 2))
    t.strictSame(await grantsOf(userId, { limit: 1, includeDiscarded: true }), expected.slice(0, 1))
    const page = { limit: 1, after: first.id, includeDiscarded: true }
    t.strictSame(await grantsOf(userId, page), expected.slice(1, 2))
    t.strictSame(await grantsOf(owner.id, { limit: 9, includeDiscarded: true }), [])
    t.equal(await reading(transactor)(async users => await users.countGrants(userId)), 4)
    t.equal(await reading(transactor)(async users => await users.countGrants(owner.id)), 0)
  })

  test(`${engine}: removing a user removes everything that belongs to them`, async t => {
    const transactor = await open(t)
    const [ada, ben] = await insertUsers(transactor, 'Ada', 'Ben')
    const [keeper, id] = [Number(ada?.id), Number(ben?.id)]
    const organizationId = await transactor.write(async tx => {
      const app = await insertApp(tx, 'a'.repeat(14), { type: 'User', id: keeper })
      const organization = await tx.organizations.insert({ name: 'O', billingEmail: 'o@example.com' }, AT)
      await tx.apps.grant(app.id, id, 'read')
      await tx.organizations.setRole(organization.id, id, 'member')
      await tx.users.insertSession(newSession('s', id))
      await tx.users.insertSession(newSession('k', keeper))
      await tx.users.saveLocation(id, '192.0.2.7', AT)
      await tx.users.remove(id)
      return organization.id
    })
    const read = reading(transactor)
    t.equal(await read(async users => await users.find(id)), null)
    t.equal(await read(async users => await users.countGrants(id)), 0)
    t.equal(await read(async users => await users.findSessionAccount('s')), null)
    t.notOk(await read(async users => await users.isKnownLocation(id, '192.0.2.7', AT)))
    t.strictSame(await transactor.read(async ({ organizations }) => await organizations.members(organizationId)), [])
    t.strictSame((await read(async users => await users.findSessionAccount('k')))?.user, ada)
  })
}

const sessionContract = (engine: string, open: (t: Test) => Promise<Transactor>): void => {
  test(`${engine}: a session is found by its digest until it expires`, async t => {
    const transactor = await open(t)
    const [ada] = await insertUsers(transactor, 'Ada')
    const session = newSession('one', Number(ada?.id), { agent: 'Mozilla/5.0' })
    await transactor.write(async ({ users }) => {
      await users.insertSession(session)
      await users.update(session.userId, { role: 'admin', colorTheme: 'dark', accountLocked: true }, AT)
    })
    const read = reading(transactor)
    const user = { ...ada, role: 'admin', colorTheme: 'dark', accountLocked: true }
    t.strictSame(await read(async users => await users.findSession(session.digest, after(999))), { session, user })
    t.equal(await read(async users => await users.findSession(session.digest, after(1000))), null)
    t.equal(await read(async users => await users.findSession('f'.repeat(64), AT)), null)
    t.strictSame(await read(async users => await users.findSessionAccount('one')), { user, passwordHash: null })
    t.equal(await read(async users => await users.findSessionAccount('other')), null)
  })

  test(`${engine}: a user's sessions are listed newest first, and can be removed`, async t => {
    const transactor = await open(t)
    const [ada, ben] = await insertUsers(transactor, 'Ada', 'Ben')
    const [adaId, benId] = [Number(ada?.id), Number(ben?.id)]
    const [one, two, three] = [
      newSession('one', adaId, { expiresAt: after(10) }),
      newSession('two', adaId, { createdAt: after(2), expiresAt: after(20) }),
      newSession('three', adaId, { createdAt: after(1), expiresAt: after(30) })
    ]
    const other = newSession('other', benId)
    await transactor.write(async ({ users }) => {
      for (const session of [one, two, three, other]) await users.insertSession(session)
    })
    const read = reading(transactor)
    const sessionsOf = async (id: number, timestamp: Date) =>
      await read(async users => await users.sessions(id, timestamp))
    t.strictSame(await sessionsOf(adaId, after(9)), [two, three, one])
    t.strictSame(await sessionsOf(adaId, after(10)), [two, three], 'expired sessions are left out')

    await transactor.write(async ({ users }) => {
      t.notOk(await users.removeSession(benId, 'one'), 'the session belongs to another user')
      await users.removeExpiredSessions(adaId, after(10))
    })
    t.strictSame(await sessionsOf(adaId, AT), [two, three])
    await transactor.write(async ({ users }) => {
      t.ok(await users.removeSession(adaId, 'two'))
      t.notOk(await users.removeSession(adaId, 'two'))
      await users.insertSession(two)
      await users.removeSessions(adaId, { sessionId: 'two' })
    })
    t.strictSame(await sessionsOf(adaId, AT), [two])
    await transactor.write(async ({ users }) => {
      await users.removeSessions(adaId)
    })
    t.strictSame([await sessionsOf(adaId, AT), await sessionsOf(benId, AT)], [[], [other]])
  })

  test(`${engine}: a location is known from the last sign-in there until it is removed`, async t => {
    const transactor = await open(t)
    const [ada, ben] = await insertUsers(transactor, 'Ada', 'Ben')
    const [adaId, benId] = [Number(ada?.id), Number(ben?.id)]
    await transactor.write(async ({ users }) => {
      await users.saveLocation(adaId, '192.0.2.7', AT)
      await users.saveLocation(adaId, '2001:db8:0:1', AT)
      await users.saveLocation(benId, '192.0.2.7', AT)
      await users.saveLocation(adaId, '192.0.2.7', after(10))
    })
    const isKnown = async (id: number, ipPrefix: string, since: Date): Promise<boolean> =>
      await reading(transactor)(async users => await users.isKnownLocation(id, ipPrefix, since))
    t.ok(await isKnown(adaId, '192.0.2.7', after(10)))
    t.notOk(await isKnown(adaId, '192.0.2.7', after(11)))
    t.notOk(await isKnown(adaId, '192.0.2.8', AT))
    await transactor.write(async ({ users }) => {
      await users.removeLocations(adaId, after(10))
    })
    t.same(
      [
        await isKnown(adaId, '192.0.2.7', AT),
        await isKnown(adaId, '2001:db8:0:1', AT),
        await isKnown(benId, '192.0.2.7', AT)
      ],
      [true, false, true]
    )
  })
}
