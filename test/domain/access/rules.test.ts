import { test } from 'tap'
import { mayDo, PERMITS } from '../../../domain/access/rules.ts'
import type { AppAction, AppRelationship } from '../../../domain/access/rules.ts'
import type { App } from '../../../domain/apps/app.ts'
import type { AppFilter, AppReads, ListPosition } from '../../../domain/apps/rows.ts'
import { openStorage } from '../../../db/open.ts'
import { Database } from '../../../db/sqlite/driver.ts'
import { covers } from '../../../domain/keys/scopes.ts'
import { settings } from '../../helper.ts'

const ACTIONS: AppAction[] = ['read', 'update', 'destroy', 'transfer', 'grant', 'revoke', 'administer']

const stranger: AppRelationship = { isOwner: false, role: null, grants: 0, isPublic: false, isDiscarded: false }

const nothing = ''
const everything = 'read update destroy transfer grant revoke administer'

test('who may do what to an app', async t => {
  const users: [who: string, relationship: Partial<AppRelationship>, allowed: string][] = [
    ['the owner', { isOwner: true }, everything],
    ['an admin of the organization that owns it', { role: 'admin' }, everything],
    ['a member of it', { role: 'member' }, 'read'],
    ['a guest of it', { role: 'guest' }, nothing],
    ['who was granted read', { grants: PERMITS.read }, 'read'],
    ['who was granted update', { grants: PERMITS.update }, 'read update'],
    ['who was granted destroy', { grants: PERMITS.destroy }, 'read destroy'],
    ['who was granted transfer', { grants: PERMITS.transfer }, 'read transfer'],
    ['who was granted grant', { grants: PERMITS.grant }, 'read grant'],
    ['who was granted revoke', { grants: PERMITS.revoke }, 'read revoke'],
    ['who was granted all six', { grants: 63 }, 'read update destroy transfer grant revoke'],
    ['a guest who was granted update', { role: 'guest', grants: PERMITS.update }, 'read update'],
    ['a member who was granted grant', { role: 'member', grants: PERMITS.grant }, 'read grant'],
    ['anybody signed in, to a public app', { isPublic: true }, 'read'],
    ['a stranger, a global admin too', {}, nothing],
    ['the owner of what was deleted', { isOwner: true, isDiscarded: true }, everything],
    ['an admin of the organization that owns what was deleted', { role: 'admin', isDiscarded: true }, everything],
    ['anybody else, of what was deleted', { role: 'member', grants: 63, isPublic: true, isDiscarded: true }, nothing]
  ]
  for (const [who, relationship, allowed] of users) {
    for (const action of ACTIONS) {
      t.equal(mayDo({ ...stranger, ...relationship }, action), allowed.split(' ').includes(action), `${who}: ${action}`)
    }
  }
  t.ok(covers(['*'], 'apps:write'), 'an unscoped client key is asked for nothing else')
  t.ok(covers(['apps:read'], 'apps:read'))
  t.notOk(covers(['apps:read'], 'apps:write'), 'a scoped one is bound by its scopes')
})

/** A number from 0 up to, and without, another. */
const random = (below: number): number => Math.floor(Math.random() * below)

const [USERS, ORGANIZATIONS, APPS] = [8, 5, 150]
const AT = '2026-01-05T09:00:00.000Z'

/** Fills a database with users, organizations, apps, memberships and grants at random. */
const fill = (path: string): void => {
  const db = new Database(path)
  const addUser = db.prepare('insert into users (id, name, email, created_at, updated_at) values (?, ?, ?, ?, ?)')
  const addOrganization = db.prepare('insert into organizations values (?, ?, ?, ?, ?)')
  const addApp = db.prepare(
    `insert into apps (
      id, name, descriptive_name, port, readable_by, user_id, organization_id, created_at, updated_at, discarded_at
    ) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
  )
  const addMember = db.prepare('insert or ignore into memberships values (?, ?, ?)')
  const addGrant = db.prepare('insert or ignore into grants values (?, ?, ?)')
  for (let id = 1; id <= USERS; id++) addUser.run(id, 'U', `u${id}@example.com`, AT, AT)
  for (let id = 1; id <= ORGANIZATIONS; id++) addOrganization.run(id, 'O', 'o@example.com', AT, AT)
  for (let id = 1; id <= APPS; id++) {
    const owner = random(2) === 0 ? [1 + random(USERS), null] : [null, 1 + random(ORGANIZATIONS)]
    const readableBy = [null, null, null, 'public', 'private'][random(5)]
    const discardedAt = random(5) === 0 ? AT : null
    addApp.run(id, id.toString(16).padStart(14, '0'), `App ${id}`, 3000 + id, readableBy, ...owner, AT, AT, discardedAt)
  }
  for (let i = 0; i < 15; i++) {
    addMember.run(1 + random(ORGANIZATIONS), 1 + random(USERS), ['admin', 'member', 'guest'][random(3)])
  }
  for (let i = 0; i < 60; i++) addGrant.run(1 + random(APPS), 1 + random(USERS), 2 ** random(6))
  db.close()
}

const everyApp = async (apps: AppReads, filter: AppFilter): Promise<App[]> => {
  const all: App[] = []
  for (let after: ListPosition | undefined; ;) {
    const batch = await apps.batch(filter, { after })
    all.push(...batch.apps)
    if (batch.next === null) return all
    after = batch.next
  }
}

const readableByRules = async (apps: AppReads, all: readonly App[], userId: number): Promise<number[]> => {
  const ids: number[] = []
  for (const app of all) if (mayDo(await apps.relationship(app, userId), 'read')) ids.push(app.id)
  return ids
}

test('SQL and the rules see the same apps, whatever the data', async t => {
  const { env } = settings(t)
  const storage = await openStorage(env.DATABASE_URL)
  t.teardown(storage.close)
  fill(env.DATABASE_URL.slice('file:'.length))
  await storage.read(async ({ apps }) => {
    const all = await everyApp(apps, { userId: null, includeDiscarded: true, tags: [] })
    t.equal(all.length, APPS)
    for (let userId = 1; userId <= USERS; userId++) {
      const filter = { userId, includeDiscarded: true, tags: [] }
      const byRules = await readableByRules(apps, all, userId)
      const idsOf = (list: readonly { id: number }[]): number[] => list.map(({ id }) => id)
      const looked = [...((await apps.candidates(filter)) ?? [])]
      t.same(new Set(looked), new Set(byRules), `user ${userId}, looked up`)
      t.equal(looked.length, byRules.length)
      t.same(idsOf(await everyApp(apps, filter)), byRules, `user ${userId}, one app after another`)
      const positions = await apps.positions(filter, null, { limit: APPS })
      t.same(idsOf(positions), byRules)
      t.same(idsOf((await apps.batchAt(filter, positions)).apps), byRules)
      const positionsOfAll = await apps.positions({ ...filter, userId: null }, null, { limit: APPS })
      t.same(idsOf((await apps.batchAt(filter, positionsOfAll)).apps), byRules)
    }
  })
})
