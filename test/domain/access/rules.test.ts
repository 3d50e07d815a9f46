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

/** More public apps than are looked up by their ids: see `MAX_LOOKED_UP`. */
const MANY = 2001

const text = (value: string | null | undefined): string => (typeof value === 'string' ? `'${value}'` : 'null')
const now = text(AT)

type AddRow = (into: string, ...values: (string | number)[]) => void

/** Makes what collects statements that insert rows. */
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

/** Statements that fill a database with users and organizations, and with public apps of theirs at random. */
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

/** Statements that change at random who may read the apps, and which of them are discarded. */
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

/** Statements that add so many public apps, at the end of the list, that no user's apps are looked up any more. */
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

const seesTheSame = async (
  t: Test,
  { read, listApps }: AppStore,
  execute: (statements: readonly string[]) => Promise<void>
): Promise<void> => {
  const listFor = async (userId: number | null, limit?: number): Promise<AppPage> =>
    await listApps({ userId, includeDiscarded: true, tags: [] }, { limit })
  const users = Array.from({ length: USERS }, (_, index) => index + 1)
  await execute(beginning())
  // Every app has a place on these pages, whose apps are read after the change.
  const pages = await Promise.all(users.map(async userId => await listFor(userId, APPS)))
  t.strictSame(await idsOf(await listFor(1, APPS)), await idsOf(await listFor(null)))

  await execute(changes())
  const all = await appsOf(await listFor(null))
  t.equal(all.length, APPS)
  const readable = await read(
    async ({ apps }) => await Promise.all(users.map(async userId => await readableByRules(apps, all, userId)))
  )
  for (const [index, userId] of users.entries()) {
    t.strictSame(await idsOf(await listFor(userId)), readable[index], `user ${userId}, looked up`)
    t.strictSame(await idsOf(await listFor(userId, APPS)), readable[index])
    t.strictSame(await idsOf(at(pages, index)), readable[index], `user ${userId}, of the apps at some places`)
  }

  await execute(others())
  for (const [index, userId] of users.entries()) {
    const found = (await idsOf(await listFor(userId))).filter(id => id <= APPS)
    t.strictSame(found, readable[index], `user ${userId}, one app after another`)
    t.strictSame(await idsOf(await listFor(userId, found.length)), readable[index])
  }
}

test('SQL and the rules see the same apps, whatever the data', async t => {
  const { env } = settings(t)
  const storage = await openStorage(env.DATABASE_URL)
  t.teardown(storage.close)
  await seesTheSame(t, storage, async statements => {
    const db = new Database(env.DATABASE_URL.slice('file:'.length))
    db.exec(`begin; ${statements.join(';')}; commit`)
    db.close()
  })
})

test('so they do on PostgreSQL', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  await seesTheSame(t, await connectPostgres(t, url), async statements => {
    await execute(url, statements.join(';'))
  })
})
