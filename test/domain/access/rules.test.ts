import { test } from 'tap'
import type { Test } from 'tap'
import { mayDo, PERMITS } from '../../../domain/access/rules.ts'
import type { AppAction, AppRelationship } from '../../../domain/access/rules.ts'
import type { App } from '../../../domain/apps/app.ts'
import type { AppReads } from '../../../domain/apps/rows.ts'
import type { AppPage, AppStore } from '../../../domain/apps/store.ts'
import { openStorage } from '../../../db/open.ts'
import { Database } from '../../../db/sqlite/driver.ts'
import { covers } from '../../../domain/keys/policy/scopes.ts'
import { connectPostgres } from '../../contract/engines.ts'
import { at, settings } from '../../helper.ts'
import { execute, postgresDatabase } from '../../postgres.ts'

const ACTIONS: AppAction[] = ['read', 'update', 'destroy', 'transfer', 'grant', 'revoke', 'administer']

const unrelated: AppRelationship = { isOwner: false, role: null, grants: 0, isPublic: false, isDiscarded: false }

const nothing = ''
const everything = 'read update destroy transfer grant revoke administer'

test('an action on an app requires ownership, a role or a grant', async t => {
  const users: [who: string, relationship: Partial<AppRelationship>, allowed: string][] = [
    ['the owner', { isOwner: true }, everything],
    ['an admin of the organization that owns it', { role: 'admin' }, everything],
    ['a member of that organization', { role: 'member' }, 'read'],
    ['a guest of that organization', { role: 'guest' }, nothing],
    ['a user with the grant read', { grants: PERMITS.read }, 'read'],
    ['a user with the grant update', { grants: PERMITS.update }, 'read update'],
    ['a user with the grant destroy', { grants: PERMITS.destroy }, 'read destroy'],
    ['a user with the grant transfer', { grants: PERMITS.transfer }, 'read transfer'],
    ['a user with the grant grant', { grants: PERMITS.grant }, 'read grant'],
    ['a user with the grant revoke', { grants: PERMITS.revoke }, 'read revoke'],
    ['a user with all six grants', { grants: 63 }, 'read update destroy transfer grant revoke'],
    ['a guest with the grant update', { role: 'guest', grants: PERMITS.update }, 'read update'],
    ['a member with the grant grant', { role: 'member', grants: PERMITS.grant }, 'read grant'],
    ['any user, for a public app', { isPublic: true }, 'read'],
    ['an unrelated user, including a global admin', {}, nothing],
    ['the owner of a deleted app', { isOwner: true, isDiscarded: true }, everything],
    ['an admin of the organization that owns a deleted app', { role: 'admin', isDiscarded: true }, everything],
    ['any other user, for a deleted app', { role: 'member', grants: 63, isPublic: true, isDiscarded: true }, nothing]
  ]
  for (const [who, relationship, allowed] of users) {
    for (const action of ACTIONS) {
      t.equal(
        mayDo({ ...unrelated, ...relationship }, action),
        allowed.split(' ').includes(action),
        `${who}: ${action}`
      )
    }
  }
  t.ok(covers(['*'], 'apps:write'), 'an unscoped client key has every scope')
  t.ok(covers(['apps:read'], 'apps:read'))
  t.notOk(covers(['apps:read'], 'apps:write'), 'a scoped key has only its scopes')
})

/** Returns a random integer from 0 to `below` - 1. */
const random = (below: number): number => Math.floor(Math.random() * below)

const [USERS, ORGANIZATIONS, APPS] = [8, 5, 150]
const AT = '2026-01-05T09:00:00.000Z'

/** More public apps than can be looked up by their ids: see `MAX_LOOKED_UP`. */
const MANY = 2001

const text = (value: string | null | undefined): string => (typeof value === 'string' ? `'${value}'` : 'null')
const now = text(AT)

type AddRow = (into: string, ...values: (string | number)[]) => void

/** Creates a function that collects statements that insert rows. */
const collectInserts = () => {
  const made: string[] = []
  const add: AddRow = (into, ...values) => {
    made.push(`insert into ${into} values (${values.join()}) on conflict do nothing`)
  }
  return { made, add }
}

const APP_COLUMNS = `apps (
  id, name, descriptive_name, port, readable_by, user_id, organization_id, created_at, updated_at, discarded_at
)`

const addApp = (add: AddRow, id: number, owner: (string | number)[]): void => {
  const names = [text(id.toString(16).padStart(14, '0')), text(id > APPS ? `Other ${id}` : `App ${id}`)]
  add(APP_COLUMNS, id, ...names, 3000 + id, text('public'), ...owner, now, now, 'null')
}

/** Returns statements that insert users and organizations, and random public apps that belong to them. */
const beginning = (): string[] => {
  const { made, add } = collectInserts()
  const users = 'users (id, name, email, created_at, updated_at)'
  for (let id = 1; id <= USERS; id++) add(users, id, text('U'), text(`u${id}@example.com`), now, now)
  for (let id = 1; id <= ORGANIZATIONS; id++) add('organizations', id, text('O'), text('o@example.com'), now, now)
  for (let id = 1; id <= APPS; id++) {
    addApp(add, id, random(2) === 0 ? [1 + random(USERS), 'null'] : ['null', 1 + random(ORGANIZATIONS)])
  }
  return made
}

/** Returns statements that randomly change who may read the apps, and which apps are discarded. */
const changes = (): string[] => {
  const { made, add } = collectInserts()
  for (let id = 1; id <= APPS; id++) {
    const readableBy = text([null, null, null, 'public', 'private'][random(5)])
    const discardedAt = random(5) === 0 ? now : 'null'
    made.push(`update apps set readable_by = ${readableBy}, discarded_at = ${discardedAt} where id = ${id}`)
  }
  for (let i = 0; i < 15; i++) {
    const role = text(['admin', 'member', 'guest'][random(3)])
    add('memberships', 1 + random(ORGANIZATIONS), 1 + random(USERS), role)
  }
  for (let i = 0; i < 60; i++) add('grants', 1 + random(APPS), 1 + random(USERS), 2 ** random(6))
  return made
}

/** Returns statements that append enough public apps to the list that a user's apps aren't looked up by id. */
const others = (): string[] => {
  const { made, add } = collectInserts()
  for (let id = APPS + 1; id <= APPS + MANY; id++) addApp(add, id, [1, 'null'])
  return made
}

const appsOf = async ({ batches }: AppPage): Promise<App[]> => {
  const all: App[] = []
  for await (const batch of batches) all.push(...batch)
  return all
}

const idsOf = async (page: AppPage): Promise<number[]> => (await appsOf(page)).map(({ id }) => id)

const readableByRules = async (apps: AppReads, all: readonly App[], userId: number): Promise<number[]> => {
  const ids: number[] = []
  for (const app of all) if (mayDo(await apps.relationship(app, userId), 'read')) ids.push(app.id)
  return ids
}

const checkAgreement = async (
  t: Test,
  { read, listApps }: AppStore,
  execute: (statements: readonly string[]) => Promise<void>
): Promise<void> => {
  const listFor = async (userId: number | null, limit?: number): Promise<AppPage> =>
    await listApps({ userId, includeDiscarded: true, tags: [] }, { limit })
  const users = Array.from({ length: USERS }, (_, index) => index + 1)
  await execute(beginning())
  // The pages contain the positions of all apps. The apps themselves are read after the change.
  const pages = await Promise.all(users.map(async userId => await listFor(userId, APPS)))
  t.strictSame(await idsOf(await listFor(1, APPS)), await idsOf(await listFor(null)))

  await execute(changes())
  const all = await appsOf(await listFor(null))
  t.equal(all.length, APPS)
  const readable = await read(
    async ({ apps }) => await Promise.all(users.map(async userId => await readableByRules(apps, all, userId)))
  )
  for (const [index, userId] of users.entries()) {
    t.strictSame(await idsOf(await listFor(userId)), readable[index], `user ${userId}, apps looked up by id`)
    t.strictSame(await idsOf(await listFor(userId, APPS)), readable[index])
    t.strictSame(await idsOf(at(pages, index)), readable[index], `user ${userId}, apps looked up by position`)
  }

  await execute(others())
  for (const [index, userId] of users.entries()) {
    const found = (await idsOf(await listFor(userId))).filter(id => id <= APPS)
    t.strictSame(found, readable[index], `user ${userId}, each app separately`)
    t.strictSame(await idsOf(await listFor(userId, found.length)), readable[index])
  }
}

test('for random data, SQL and the rules allow the same apps', async t => {
  const { env } = settings(t)
  const storage = await openStorage(env.DATABASE_URL)
  t.teardown(storage.close)
  await checkAgreement(t, storage, async statements => {
    const db = new Database(env.DATABASE_URL.slice('file:'.length))
    db.exec(`begin; ${statements.join(';')}; commit`)
    db.close()
  })
})

test('for random data on PostgreSQL, SQL and the rules allow the same apps', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  await checkAgreement(t, await connectPostgres(t, url), async statements => {
    await execute(url, statements.join(';'))
  })
})
