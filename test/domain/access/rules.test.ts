import { test } from 'tap'
import type { Test } from 'tap'
import { mayDo, PERMITS } from '../../../domain/access/rules.ts'
import type { AppAction, AppRelationship } from '../../../domain/access/rules.ts'
import type { App } from '../../../domain/apps/app.ts'
import type { AppFilter, AppReads, ListPosition } from '../../../domain/apps/rows.ts'
import { openStorage } from '../../../db/open.ts'
import { Database } from '../../../db/sqlite/driver.ts'
import { covers } from '../../../domain/keys/policy/scopes.ts'
import type { Transactor } from '../../../domain/transactor.ts'
import { connectPostgres } from '../../contract/engines.ts'
import { settings } from '../../helper.ts'
import { execute, postgresDatabase } from '../../postgres.ts'

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

/** Statements that fill a database with users, organizations, apps, memberships and grants at random. */
const statements = (): string[] => {
  const text = (value: string | null | undefined): string => (typeof value === 'string' ? `'${value}'` : 'null')
  const made: string[] = []
  const add = (into: string, ...values: (string | number)[]): void => {
    made.push(`insert into ${into} values (${values.join()}) on conflict do nothing`)
  }
  const now = text(AT)
  const users = 'users (id, name, email, created_at, updated_at)'
  for (let id = 1; id <= USERS; id++) add(users, id, text('U'), text(`u${id}@example.com`), now, now)
  for (let id = 1; id <= ORGANIZATIONS; id++) add('organizations', id, text('O'), text('o@example.com'), now, now)
  const apps = `apps (
    id, name, descriptive_name, port, readable_by, user_id, organization_id, created_at, updated_at, discarded_at
  )`
  for (let id = 1; id <= APPS; id++) {
    const owner = random(2) === 0 ? [1 + random(USERS), 'null'] : ['null', 1 + random(ORGANIZATIONS)]
    const readableBy = text([null, null, null, 'public', 'private'][random(5)])
    const names = [text(id.toString(16).padStart(14, '0')), text(`App ${id}`)]
    add(apps, id, ...names, 3000 + id, readableBy, ...owner, now, now, random(5) === 0 ? now : 'null')
  }
  for (let i = 0; i < 15; i++) {
    const role = text(['admin', 'member', 'guest'][random(3)])
    add('memberships', 1 + random(ORGANIZATIONS), 1 + random(USERS), role)
  }
  for (let i = 0; i < 60; i++) add('grants', 1 + random(APPS), 1 + random(USERS), 2 ** random(6))
  return made
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

const seesTheSame = async (t: Test, { read }: Transactor): Promise<void> => {
  await read(async ({ apps }) => {
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
}

test('SQL and the rules see the same apps, whatever the data', async t => {
  const { env } = settings(t)
  const storage = await openStorage(env.DATABASE_URL)
  t.teardown(storage.close)
  const db = new Database(env.DATABASE_URL.slice('file:'.length))
  db.exec(statements().join(';'))
  db.close()
  await seesTheSame(t, storage)
})

test('so they do on PostgreSQL', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  const storage = await connectPostgres(t, url)
  await execute(url, statements().join(';'))
  await seesTheSame(t, storage)
})
