import { test } from 'tap'
import { mayDo, PERMITS } from '../../../domain/access/rules.ts'
import type { AppAction, AppStanding } from '../../../domain/access/rules.ts'
import { openStores } from '../../../db/open.ts'
import { Database } from '../../../db/sqlite/driver.ts'
import type { Stores } from '../../../db/stores.ts'
import { createStandings } from '../../../db/sqlite/visibility.ts'
import { covers } from '../../../domain/keys/scopes.ts'
import { settings } from '../../helper.ts'

const ACTIONS: AppAction[] = ['read', 'update', 'destroy', 'transfer', 'grant', 'revoke', 'administer']

const stranger: AppStanding = { isOwner: false, role: null, grants: 0, isPublic: false, isDiscarded: false }

const nothing = ''
const everything = 'read update destroy transfer grant revoke administer'

test('who may do what to an app', async t => {
  const users: [who: string, standing: Partial<AppStanding>, allowed: string][] = [
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
  for (const [who, standing, allowed] of users) {
    for (const action of ACTIONS) {
      t.equal(mayDo({ ...stranger, ...standing }, action), allowed.split(' ').includes(action), `${who}: ${action}`)
    }
  }
  t.ok(covers(['*'], 'apps:write'), 'an unscoped client key is asked for nothing else')
  t.ok(covers(['apps:read'], 'apps:read'))
  t.notOk(covers(['apps:read'], 'apps:write'), 'a scoped one is bound by its scopes')
})

/** A number from 0 up to, and without, another. */
const random = (below: number): number => Math.floor(Math.random() * below)

const anybody = {
  origin: { actor: { kind: 'cli', id: '0', name: 'tester' }, address: null, requestId: null },
  userId: null
} as const

const listed = async ({ apps }: Stores, userId: number): Promise<string[]> => {
  const names: string[] = []
  for await (const batch of apps.list({ userId, includeDiscarded: true, tags: [] }, {})) {
    names.push(...batch.map(({ name }) => name))
  }
  return names.sort()
}

test('SQL and the rules see the same apps, whatever the data', async t => {
  const { env } = settings(t)
  const stores = openStores(env['DATABASE_URL'])
  t.teardown(() => {
    stores.close()
  })
  const { drizzle } = await import('drizzle-orm/better-sqlite3')
  const client = new Database(env['DATABASE_URL'].slice('file:'.length))
  t.teardown(() => {
    client.close()
  })
  const [users, organizations, apps] = [8, 5, 150]
  const at = '2026-01-05T09:00:00.000Z'
  for (let id = 1; id <= users; id++) {
    client
      .prepare('insert into users (id, name, email, created_at, updated_at) values (?, ?, ?, ?, ?)')
      .run(id, 'U', `u${id}@example.com`, at, at)
  }
  for (let id = 1; id <= organizations; id++) {
    client.prepare('insert into organizations values (?, ?, ?, ?, ?)').run(id, 'O', 'o@example.com', at, at)
  }
  for (let id = 1; id <= apps; id++) {
    const isUsers = random(2) === 0
    client
      .prepare(
        'insert into apps (id, name, descriptive_name, port, readable_by, user_id, organization_id, created_at, updated_at, discarded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
      )
      .run(
        id,
        id.toString(16).padStart(14, '0'),
        `App ${id}`,
        3000 + id,
        [null, null, null, 'public', 'private'][random(5)],
        isUsers ? 1 + random(users) : null,
        isUsers ? null : 1 + random(organizations),
        at,
        at,
        random(5) === 0 ? at : null
      )
  }
  for (let i = 0; i < 15; i++) {
    client
      .prepare('insert or ignore into memberships values (?, ?, ?)')
      .run(1 + random(organizations), 1 + random(users), ['admin', 'member', 'guest'][random(3)])
  }
  for (let i = 0; i < 60; i++) {
    client
      .prepare('insert or ignore into grants values (?, ?, ?)')
      .run(1 + random(apps), 1 + random(users), 2 ** random(6))
  }

  const standing = createStandings(Object.assign(drizzle(client), { $client: client }))
  const all: Awaited<ReturnType<Stores['apps']['find']>>[] = []
  for await (const batch of stores.apps.list({ userId: null, includeDiscarded: true, tags: [] }, {})) all.push(...batch)
  t.equal(all.length, apps)
  for (let userId = 1; userId <= users; userId++) {
    const byRules = all.flatMap(app => (app !== null && mayDo(standing(app, userId), 'read') ? [app.name] : [])).sort()
    t.same(await listed(stores, userId), byRules, `user ${userId}`)
    const { isVisible } = await import('../../../db/sqlite/visibility.ts')
    const db = drizzle(client)
    t.same(
      db
        .all<{ name: string }>(
          (await import('drizzle-orm')).sql`select name from apps where ${isVisible(userId)} order by name`
        )
        .map(({ name }) => name),
      byRules,
      'one after another as well'
    )
    for (const app of all.slice(0, 40)) {
      if (app === null || app.discardedAt !== null) continue
      const may = mayDo(standing(app, userId), 'read')
      t.equal((await stores.apps.find(app.id, { ...anybody, userId })) !== null, may)
    }
  }
})
