import { test } from 'tap'
import type { Test } from 'tap'
import { loadSample } from '../../../db/load-sample.ts'
import { sample } from '../../../db/sample.ts'
import { contextOf } from '../../../domain/access/principal.ts'
import type { RequestContext } from '../../../domain/access/principal.ts'
import type { App, Owner } from '../../../domain/apps/app.ts'
import { createAppService } from '../../../domain/apps/service.ts'
import type { AppQuery, AppService } from '../../../domain/apps/service.ts'
import type { Audit } from '../../../domain/audits/audit.ts'
import { sqlite } from '../../contract/engines.ts'
import { at, required, operator } from '../../helper.ts'

const INVOICES = 'ba6811fb3e073d'
const WEATHER = '70e2d94bc6a18f'
const [ADA, BEN] = [1, 2]
const EVERYTHING: AppQuery = { includeDiscarded: false, tags: [] }

const user = (id: number): Owner => ({ type: 'User', id })

interface Side {
  apps: AppService
  /** Returns the context of a request from a user in the sample data. */
  as: (userId: number) => Promise<RequestContext>
  /** Returns the newest entries in the audit trail, with their changes as objects. */
  audits: (limit: number) => Promise<(Omit<Audit, 'changes'> & { changes: unknown })[]>
}

const filled = async (t: Test): Promise<Side> => {
  const storage = await sqlite(t)
  t.ok(await loadSample(storage, { sample, hashOf: () => 'h', context: operator }))
  return {
    apps: createAppService(storage),
    as: async userId => {
      const found = required(
        (await storage.read(async ({ users }) => await users.find(userId))) ?? undefined,
        'the user'
      )
      const now = new Date()
      const session = {
        id: 's',
        digest: 'd',
        client: 'c',
        userId,
        createdAt: now,
        expiresAt: now,
        address: '',
        agent: null
      }
      return contextOf({ principal: { kind: 'user', user: found, session }, ip: '192.0.2.7', id: 'r' })
    },
    audits: async limit =>
      (await storage.read(async rows => await rows.audits.newest({}, { limit }))).map(audit => ({
        ...audit,
        changes: JSON.parse(audit.changes) as unknown
      }))
  }
}

const collect = async (batches: AsyncIterable<App[]>): Promise<App[]> => {
  const all: App[] = []
  for await (const batch of batches) all.push(...batch)
  return all
}

const listOf = async ({ apps }: Side, query = EVERYTHING, context: RequestContext = operator): Promise<App[]> =>
  await collect((await apps.list(query, context)).batches)

const newApp = (descriptiveName = 'Night Shift', owner = user(ADA)) => ({ descriptiveName, owner })

test('a new app gets a unique name, port and id', async t => {
  const { apps } = await filled(t)
  const wanted = { ...newApp(), panels: '{"a":1}', schedule: '{}' }
  const made = await apps.create(wanted, operator)
  t.match(made, { ...wanted, id: 25, port: 3025, readableBy: null, tags: '[]', discardedAt: null })
  t.match(made.name, /^[0-9a-f]{14}$/)
  t.same(made.createdAt, made.updatedAt)
  t.strictSame(await apps.find(made.name, operator), made)
  t.strictSame(await apps.find(made.id, operator), made)
  t.match(await apps.create(newApp('Another'), operator), { port: 3026, panels: null, schedule: null })
  await t.rejects(apps.find('00000000000000', operator), { code: 'APP_NOT_FOUND' })
})

test('apps that are created concurrently have different ports', async t => {
  const { apps } = await filled(t)
  const made = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => await apps.create(newApp(`App ${index}`), operator))
  )
  t.equal(new Set(made.map(({ port }) => port)).size, 20)
})

test('an invalid change is rejected, and nothing is stored', async t => {
  const side = await filled(t)
  const { apps } = side
  const app = await apps.create(newApp(), operator)
  const before = await listOf(side)
  const [last] = await side.audits(1)
  const taken = { code: 'DESCRIPTIVE_NAME_TAKEN' }
  await t.rejects(apps.create(newApp(), operator), taken)
  await t.rejects(apps.create(newApp('New', user(9)), operator), { code: 'OWNER_NOT_FOUND' })
  await t.rejects(apps.create(newApp('New', { type: 'Organization', id: 9 }), operator), { code: 'OWNER_NOT_FOUND' })
  await t.rejects(apps.update(INVOICES, { descriptiveName: 'Payroll Export', panels: '{}' }, operator), taken)
  await t.rejects(apps.copy(app.name, { descriptiveName: 'Night Shift' }, operator), taken)
  await t.rejects(apps.transfer(app.name, user(9), operator), { code: 'OWNER_NOT_FOUND' })
  await t.rejects(apps.grant(app.name, { userId: 9, permits: ['read'] }, operator), { code: 'USER_NOT_FOUND' })
  await t.rejects(apps.revoke(app.name, { userId: 9, permits: ['read'] }, operator), { code: 'USER_NOT_FOUND' })
  await t.rejects(apps.removeTag(app.name, { context: 'no', name: 'such' }, operator), { code: 'TAG_NOT_FOUND' })
  t.strictSame(await listOf(side), before)
  t.strictSame((await side.audits(1))[0], last)
})

test('a discarded app is found only by lists that include discarded apps', async t => {
  const side = await filled(t)
  const { apps } = side
  await apps.discard(INVOICES, operator)
  const missing = { code: 'APP_NOT_FOUND' }
  const finance = { context: 'department', name: 'finance' }
  await t.rejects(apps.discard(INVOICES, operator), missing)
  await t.rejects(apps.find(INVOICES, operator), missing)
  await t.rejects(apps.update(INVOICES, { panels: null }, operator), missing)
  await t.rejects(apps.update(INVOICES, {}, operator), missing)
  await t.rejects(apps.copy(INVOICES, { descriptiveName: 'A copy' }, operator), missing)
  await t.rejects(apps.addTag(INVOICES, { context: 'a', name: 'b' }, operator), missing)
  await t.rejects(apps.removeTag(INVOICES, finance, operator), { code: 'TAG_NOT_FOUND' })
  await t.rejects(apps.grants(INVOICES, operator), missing)
  await t.rejects(apps.grant(INVOICES, { userId: BEN, permits: ['read'] }, operator), missing)
  await t.rejects(apps.revoke(INVOICES, { userId: BEN, permits: ['read'] }, operator), missing)
  await t.rejects(apps.transfer(INVOICES, user(ADA), operator), missing)
  t.equal((await listOf(side)).length, 23)
  const discarded = (await listOf(side, { ...EVERYTHING, includeDiscarded: true })).filter(
    app => app.discardedAt !== null
  )
  t.match(discarded, [{ name: INVOICES, discardedAt: Date, updatedAt: at(discarded).discardedAt }])
  t.equal(await apps.nameFor(at(discarded).id, 'administer', operator), INVOICES, 'the audit entries are available')
})

test('each change has an audit entry with the changed values', async t => {
  const { apps, audits, as } = await filled(t)
  const ada = await as(ADA)
  const app = await apps.create({ ...newApp(), panels: '{"secret":1}' }, ada)
  const owned = { owner_type: { to: 'User' }, owner_id: { to: ADA } }
  const about = { actor: ada.actor, address: '192.0.2.7', requestId: 'r', subject: { type: 'app', id: app.name } }
  const hasEntry = async (action: string, changes: object) => {
    const [audit] = await audits(1)
    t.match(audit, { ...about, action })
    t.strictSame(audit?.changes, changes)
  }
  await hasEntry('app.create', { descriptive_name: { to: 'Night Shift' }, ...owned, port: { to: 3025 } })
  const panels = { panels: { changed: true } }
  await apps.update(app.name, { descriptiveName: 'Day Shift', panels: '{"secret":2}', schedule: null }, ada)
  await hasEntry('app.update', { descriptive_name: { from: 'Night Shift', to: 'Day Shift' }, ...panels })
  await apps.update(app.name, { schedule: '{}', panels: '{"secret":2}' }, ada)
  await hasEntry('app.update', { schedule: { changed: true } })
  const { sequence } = at(await audits(1))
  await apps.update(app.name, {}, ada)
  t.equal(at(await audits(1)).sequence, sequence, 'an update without fields has no audit entry')
  const tag = { context: 'stage', name: 'production' }
  await apps.addTag(app.name, tag, ada)
  await hasEntry('app.add_tag', { tag: { to: tag } })
  t.match(await apps.addTag(app.name, tag, ada), { tag, added: false })
  t.equal(at(await audits(1)).sequence, sequence + 1)
  await apps.removeTag(app.name, tag, ada)
  await hasEntry('app.remove_tag', { tag: { from: tag, to: null } })
  await apps.grant(app.name, { userId: BEN, permits: ['update', 'read'] }, ada)
  await hasEntry('app.grant', { user_id: { to: BEN }, permits: { from: [], to: ['read', 'update'] } })
  await apps.grant(app.name, { userId: BEN, permits: ['read'] }, ada)
  t.equal(at(await audits(1)).sequence, sequence + 3, 'an existing grant has no new audit entry')
  await apps.revoke(app.name, { userId: BEN, permits: ['read'] }, ada)
  await hasEntry('app.revoke', { user_id: { to: BEN }, permits: { from: ['read', 'update'], to: ['update'] } })
  await apps.transfer(app.name, { type: 'Organization', id: 1 }, ada)
  await hasEntry('app.transfer', { owner_type: { from: 'User', to: 'Organization' }, owner_id: { from: ADA, to: 1 } })
  await apps.transfer(app.name, { type: 'Organization', id: 1 }, ada)
  t.equal(at(await audits(1)).sequence, sequence + 5, 'a transfer to the same owner has no audit entry')
  await apps.discard(app.name, ada)
  await hasEntry('app.delete', {})

  const copy = await apps.copy(WEATHER, { descriptiveName: 'A copy' }, ada)
  t.match(await audits(1), [
    {
      action: 'app.copy',
      subject: { id: copy.name },
      changes: { descriptive_name: { to: 'A copy' }, ...owned, port: { to: copy.port }, copied_from: { to: WEATHER } }
    }
  ])
})

test('a change returns the app as it was stored', async t => {
  const { apps } = await filled(t)
  const find = async (name: string) => await apps.find(name, operator)
  t.strictSame(await apps.update(WEATHER, { panels: '{"a":1}', schedule: null }, operator), await find(WEATHER))
  t.strictSame(await apps.transfer(WEATHER, user(BEN), operator), await find(WEATHER))
  const copy = await apps.copy(INVOICES, { descriptiveName: 'A copy' }, operator)
  t.strictSame(copy, await find(copy.name))
})

test('for a user who may not read it, an app does not exist, and other users are limited by the rules', async t => {
  const { apps, as } = await filled(t)
  const [ada, ben] = [await as(ADA), await as(BEN)]
  await t.rejects(apps.find(WEATHER, ben), { code: 'APP_NOT_FOUND' })
  await t.rejects(apps.grants(WEATHER, ben), { code: 'APP_NOT_FOUND' })
  await t.rejects(apps.nameFor(WEATHER, 'administer', ben), { code: 'APP_NOT_FOUND' })
  await t.rejects(apps.removeTag(WEATHER, { context: 'topic', name: 'home' }, ben), { code: 'TAG_NOT_FOUND' })
  await apps.grant(WEATHER, { userId: BEN, permits: ['read'] }, ada)
  const forbidden = { code: 'FORBIDDEN' }
  t.match(await apps.find(WEATHER, ben), { name: WEATHER })
  await t.rejects(apps.update(WEATHER, {}, ben), forbidden)
  await t.rejects(apps.removeTag(WEATHER, { context: 'topic', name: 'home' }, ben), forbidden)
  await t.rejects(apps.grants(WEATHER, ben), forbidden)
  await t.rejects(
    apps.copy(WEATHER, { descriptiveName: 'A copy' }, ben),
    forbidden,
    'reading an app does not permit creating one for its owner'
  )
  await apps.grant(WEATHER, { userId: BEN, permits: ['grant'] }, ada)
  await t.rejects(apps.grant(WEATHER, { userId: 4, permits: ['read', 'destroy'] }, ben), forbidden)
  t.same(await apps.grant(WEATHER, { userId: 4, permits: ['read'] }, ben), { userId: 4, permits: ['read'] })
  t.equal((await apps.grants(WEATHER, ben)).length, 3)
  await t.rejects(apps.transfer(WEATHER, user(BEN), ben), forbidden)
})

test('a page contains the apps as of its request, and the position of the next page', async t => {
  const side = await filled(t)
  const { apps } = side
  const all = await listOf(side)
  for (const limit of [5, 23, 24, 100]) {
    const { batches, next } = await apps.list({ ...EVERYTHING, limit }, operator)
    const last = at(all, Math.min(limit, 24) - 1)
    t.same(next, limit < 24 ? { descriptiveName: last.descriptiveName, id: last.id } : null)
    const { name } = await apps.create(newApp(`AAA ${limit}`), operator)
    t.strictSame(await collect(batches), all.slice(0, limit))
    await apps.discard(name, operator)
  }
  const second = await apps.list({ ...EVERYTHING, limit: 5, after: at(all, 17) }, operator)
  t.equal(second.next?.id, at(all, 22).id)
  t.strictSame(await collect(second.batches), all.slice(18, 23))
  t.equal(
    (await apps.list({ ...EVERYTHING, limit: 5, after: at(all, 18) }, operator)).next,
    null,
    'the last page has no next one'
  )
  const none = await apps.list({ ...EVERYTHING, limit: 5, after: at(all, 23) }, operator)
  t.equal(none.next, null)
  t.same(await collect(none.batches), [])
  t.strictSame(await listOf(side, { ...EVERYTHING, after: at(all, 3) }), all.slice(4))
})

test('an app that is removed while a page is being read is left out', async t => {
  const side = await filled(t)
  const ada = await side.as(ADA)
  const mine = await listOf(side, EVERYTHING, ada)
  const { batches, next } = await side.apps.list({ ...EVERYTHING, limit: 4 }, ada)
  await side.apps.discard(at(mine, 1).name, operator)
  t.same(
    (await collect(batches)).map(({ id }) => id),
    [0, 2, 3].map(index => at(mine, index).id)
  )
  t.equal(next?.id, at(mine, 3).id)
})

test('apps with the same descriptive name are sorted by id, even across pages', async t => {
  const side = await filled(t)
  for (const owner of [{ type: 'Organization', id: 1 }, user(BEN), user(ADA)] as const) {
    await side.apps.create(newApp('Zebra', owner), operator)
  }
  const { next } = await side.apps.list({ ...EVERYTHING, limit: 25 }, operator)
  t.same(
    (await listOf(side, { ...EVERYTHING, after: required(next ?? undefined, 'the next page') })).map(({ id }) => id),
    [26, 27]
  )
})

test('an empty list and an empty page have no apps', async t => {
  const apps = createAppService(await sqlite(t))
  t.same(await collect((await apps.list(EVERYTHING, operator)).batches), [])
  const { batches, next } = await apps.list({ ...EVERYTHING, limit: 5 }, operator)
  t.same([await collect(batches), next], [[], null])
})
