import { test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { onlyOnSqlite, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { signIn } from './user.ts'

const WEATHER = '70e2d94bc6a18f'
const INVOICES = 'ba6811fb3e073d'

const users = async (made: World) => ({
  ada: await signIn(made, 'ada'),
  ben: await signIn(made, 'ben'),
  chiara: await signIn(made, 'chiara'),
  dmitri: await signIn(made, 'dmitri')
})

const idOf = async (made: World, name: string): Promise<number> => (await made.call('GET', `/apps/${name}`)).json.id

test('a user gets a list of the apps that they may read, and a client key gets a list of all apps', async t => {
  const made = await world(t)
  const { ada, ben, chiara, dmitri } = await users(made)
  const names = async (call: World['call'], query = ''): Promise<string[]> =>
    (await call('GET', `/apps${query}`)).json.map(({ descriptive_name: name }: { descriptive_name: string }) => name)
  t.equal((await names(made.call)).length, 24)
  t.same(await names(ada), [
    'Expense Review',
    'Invoice Sync',
    'New Hire Checklist',
    'Payroll Export',
    'Reading List',
    'Server Heartbeat',
    'Visitor Badges',
    'Weather Alerts'
  ])
  t.equal((await names(ben)).length, 5 + 6 + 3)
  t.same(await names(chiara), [
    'Donor Letters',
    'Grant Deadlines',
    'Marathon Plan',
    'Plant Watering',
    'Volunteer Roster',
    'Weather Alerts'
  ])
  t.same(await names(dmitri), ['Photo Backup', 'Recipe Scaler'])
  const page = await ada('GET', '/apps?limit=3')
  t.equal(page.json.length, 3)
  const next = /^<(.*)>;/.exec(String(page.headers['link']))?.[1] ?? ''
  t.same(
    (await ada('GET', next)).json.map(({ descriptive_name: name }: { descriptive_name: string }) => name),
    ['Payroll Export', 'Reading List', 'Server Heartbeat']
  )
  t.equal((await ada('GET', '/apps?limit=8')).headers['link'], undefined)
  t.same(await names(ada, '?tagged_with=[{"topic":"home"}]'), ['Reading List', 'Weather Alerts'])
  t.ok((await names(chiara)).includes('Weather Alerts'))
  await ada('DELETE', `/apps/${WEATHER}`)
  t.notOk((await names(ada)).includes('Weather Alerts'))
  t.notOk(
    (await names(chiara, '?include_deleted=true')).includes('Weather Alerts'),
    'a grant for a deleted app has no effect'
  )
  t.ok((await names(ada, '?include_deleted=true')).includes('Weather Alerts'))
})

test('a user may perform only the actions on an app that the rules allow', async t => {
  const made = await world(t)
  const { ada, ben, chiara, dmitri } = await users(made)
  const app = `/apps/${INVOICES}`
  const tries = async (call: World['call']): Promise<number[]> => [
    (await call('GET', app)).status,
    (await call('PATCH', app, { panels: { a: 1 } })).status,
    (await call('POST', `${app}/tags`, { context: 'a', name: 'b' })).status,
    (await call('DELETE', `${app}/tags`, { context: 'a', name: 'b' })).status,
    (await call('GET', `${app}/permissions`)).status,
    (await call('GET', `${app}/audits`)).status,
    (await call('POST', `${app}/permission/read/users/4`)).status,
    (await call('POST', `${app}/copy`, { new_app_descriptive_name: `Copy ${Math.random()}` })).status
  ]
  t.same(await tries(dmitri), [404, 404, 404, 404, 404, 404, 404, 404], 'an unrelated user, who is a global admin')
  t.same(await tries(chiara), [404, 404, 404, 404, 404, 404, 404, 404], 'a guest')
  t.same(await tries(ben), [200, 403, 403, 403, 403, 403, 403, 403], 'a member')
  t.same(await tries(ada), [200, 200, 201, 204, 200, 200, 200, 201], 'an admin')
  t.same(await tries(made.call), [200, 200, 201, 204, 200, 200, 200, 201], 'a client key')
  t.same(await tries(dmitri), [200, 403, 403, 403, 403, 403, 403, 403], 'a user with a read grant')
  t.equal((await ben('DELETE', app)).status, 403)
  const scoped = (await made.call('POST', '/client_keys', { name: 'scoped', scopes: ['apps:read'] })).json
    .key_access_token
  const byScope = async (method: string, url: string, body?: object) =>
    (await made.call(method, url, body, { authorization: `Bearer ${scoped}` })).status
  t.same(
    [
      await byScope('GET', app),
      await byScope('GET', `${app}/permissions`),
      await byScope('PATCH', app, {}),
      await byScope('PUT', `${app}/transfer/users/1`),
      await byScope('GET', `${app}/audits`),
      await byScope('GET', '/organizations')
    ],
    [200, 200, 403, 403, 403, 403]
  )
})

test('a user creates apps for themselves, or for an organization that they administer', async t => {
  const made = await world(t)
  const { ada, ben } = await users(made)
  t.match(await ada('POST', '/apps', { descriptive_name: 'Mine' }), {
    status: 201,
    json: { owner_type: 'User', owner_id: 1, user_id: 1 }
  })
  t.match(await ada('POST', '/apps', { descriptive_name: 'Ours', owner_type: 'Organization', owner_id: 1 }), {
    status: 201,
    json: { owner_type: 'Organization', owner_id: 1 }
  })
  for (const owner of [
    { owner_type: 'Organization', owner_id: 2 },
    { owner_type: 'User', owner_id: 2 },
    { owner_type: 'Organization', owner_id: 99 }
  ]) {
    t.equal((await ada('POST', '/apps', { descriptive_name: 'Theirs', ...owner })).status, 403)
  }
  t.equal(
    (await ben('POST', '/apps', { descriptive_name: 'As a member', owner_type: 'Organization', owner_id: 1 })).status,
    403
  )
  t.match(await ada('POST', '/apps', { descriptive_name: 'Half', owner_type: 'User' }), {
    status: 422,
    json: { errors: ['owner_id is required'] }
  })
  t.match(await ada('POST', '/apps', { descriptive_name: 'Half', owner_id: 1 }), {
    status: 422,
    json: { errors: ['owner_type is required'] }
  })
  t.match(await made.call('POST', '/apps', { descriptive_name: "A key's" }), {
    status: 422,
    json: { errors: ['owner_type is required', 'owner_id is required'] }
  })
})

test('permissions are granted and revoked separately or together, by id or by name', async t => {
  const made = await world(t)
  const { ada, ben, chiara, dmitri } = await users(made)
  const id = await idOf(made, WEATHER)
  t.same((await ada('GET', `/apps/${id}/permissions`)).json, [{ user_id: 3, permits: ['read', 'update'] }])
  t.equal((await ben('GET', `/apps/${id}`)).status, 404)
  t.match(await ada('POST', `/apps/${id}/permission/grant/users/2`), {
    status: 200,
    json: { user_id: 2, permits: ['grant'] }
  })
  t.equal((await ben('GET', `/apps/${WEATHER}`)).status, 200)
  t.match(
    await ben('POST', `/apps/${WEATHER}/permission/destroy/users/4`),
    { status: 403 },
    'users can grant only permissions that they have'
  )
  t.match(await ben('POST', `/apps/${WEATHER}/permission/read/users/4`), { status: 200, json: { permits: ['read'] } })
  t.equal(
    (await ben('DELETE', `/apps/${WEATHER}/permission/read/users/4`)).status,
    403,
    'a grant permission does not include revoke'
  )
  t.equal((await ben('GET', `/apps/${WEATHER}/permissions`)).json.length, 3)
  t.match(await ada('POST', `/apps/${id}/permissions/users/2`), {
    json: { permits: ['read', 'update', 'destroy', 'transfer', 'grant', 'revoke'] }
  })
  t.match(await ada('DELETE', `/apps/${id}/permission/update/users/2`), {
    json: { permits: ['read', 'destroy', 'transfer', 'grant', 'revoke'] }
  })
  t.match(await ada('DELETE', `/apps/${id}/permissions/users/2`), { status: 200, json: { permits: [] } })
  t.match(
    await ada('DELETE', `/apps/${id}/permissions/users/2`),
    { status: 200, json: { permits: [] } },
    'revoking a missing grant succeeds'
  )
  t.match(await ada('POST', `/apps/${id}/permission/fly/users/2`), {
    status: 422,
    json: { errors: [/permit must be read or update/] }
  })
  t.match(await ada('POST', `/apps/${id}/permission/read/users/99`), { status: 404, json: { code: 'USER_NOT_FOUND' } })
  t.match(await ada('POST', `/apps/${id}/permission/read/users/x`), { status: 404 })
  t.equal((await chiara('PATCH', `/apps/${WEATHER}`, { panels: null })).status, 200)
  t.equal((await chiara('DELETE', `/apps/${WEATHER}`)).status, 403)
  t.match(await made.call('GET', '/apps/99999/permissions'), { status: 404 })
  t.match(await made.call('POST', '/apps/99999/permission/read/users/1'), { status: 404 })
  t.match(await made.call('DELETE', '/apps/99999/permissions/users/1'), { status: 404 })
  // A name that starts with digits isn't an id.
  t.equal((await made.call('GET', '/apps/61bc9f04e2d73a/permissions')).status, 200)
  t.equal((await made.call('GET', '/apps/61bc9f04e2d7/permissions')).status, 404)

  t.same(
    (await dmitri('GET', '/users/3/grants')).json,
    [{ app_id: id, app_name: WEATHER, permits: ['read', 'update'] }],
    'a global admin may read the permissions'
  )
  t.equal((await chiara('GET', '/users/3/grants')).json.length, 1)
  t.equal((await ben('GET', '/users/3/grants')).status, 403)
  t.same((await ada('GET', '/users/1/grants')).json, [])
  t.equal((await made.call('GET', '/users/99/grants')).status, 404)
  t.match((await ada('GET', `/apps/${id}/trail?limit=2`)).json, [
    { action: 'app.update', actor: { kind: 'user', id: '3' } },
    { action: 'app.revoke' }
  ])
})

test('only permitted users can transfer an app, and only to permitted owners', async t => {
  const made = await world(t)
  const { ada, ben, chiara } = await users(made)
  const give = async (call: World['call'], to: string, app = WEATHER) =>
    await call('PUT', `/apps/${app}/transfer/${to}`)
  t.equal((await give(chiara, 'users/3')).status, 403, 'the user has only read and update grants')
  t.equal((await give(ben, 'users/2')).status, 404)
  t.equal((await give(ada, 'users/2')).status, 403, 'a transfer to another user is refused')
  t.equal(
    (await give(ada, 'organizations/2')).status,
    403,
    'a transfer to an organization without a membership is refused'
  )
  t.equal((await give(ada, 'User/1')).status, 422)
  const owner = async (app = WEATHER) => (await made.call('GET', `/apps/${app}`)).json
  const done = { status: 200, json: { message: 'Transfer Ownership OK' } }
  t.match(await give(ada, 'organizations/1'), done)
  t.match(await owner(), { owner_type: 'Organization', owner_id: 1, user_id: null })
  t.match(await give(ada, 'organizations/1'), done, 'the organization already owns it')
  t.equal((await give(made.call, 'users/99')).status, 422)
  t.match(await give(made.call, 'users/4'), done)
  t.match(await owner(), { owner_type: 'User', owner_id: 4 })
  t.equal((await give(made.call, 'users/4', '99999')).status, 404)
  await made.call('POST', '/apps', { descriptive_name: 'Recipe Scaler', owner_type: 'User', owner_id: 1 })
  const { json } = await made.call('GET', '/apps?tagged_with=[]')
  const mine = json.find(
    ({ descriptive_name: name, owner_id: owner }: { descriptive_name: string; owner_id: number }) =>
      name === 'Recipe Scaler' && owner === 1
  )
  t.match(await give(made.call, 'users/4', mine.name), { status: 409, json: { code: 'DESCRIPTIVE_NAME_TAKEN' } })
  await ada('POST', `/apps/${INVOICES}/permission/transfer/users/2`)
  t.match(await give(ben, 'users/2', INVOICES), done)
  t.match(await owner(INVOICES), { owner_id: 2 })
  t.equal((await ada('GET', `/apps/${INVOICES}`)).status, 404)
  t.equal((await made.call('GET', '/apps/99999/audits')).status, 404)
})

test('any signed-in user, and no one else, can read a public app', onlyOnSqlite, async t => {
  const made = await world(t)
  const { dmitri } = await users(made)
  const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
  db.prepare("update apps set readable_by = 'public' where name = ?").run(INVOICES)
  db.close()
  t.equal((await dmitri('GET', `/apps/${INVOICES}`)).status, 200)
  t.equal((await dmitri('GET', '/apps')).json.length, 3)
  t.equal((await dmitri('PATCH', `/apps/${INVOICES}`, {})).status, 403)
  t.equal((await made.fastify.inject(`/apps/${INVOICES}`)).statusCode, 401)
})

test("a user's list is complete even if its apps are large", async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  for (let i = 0; i < 4; i++) {
    t.equal(
      (await dmitri('POST', '/apps', { descriptive_name: `Large ${i}`, panels: { text: 'x'.repeat(200_000) } })).status,
      201
    )
  }
  t.equal((await dmitri('GET', '/apps')).json.length, 6)
})

test('a user who may read very many apps gets all of them, in order and by page', onlyOnSqlite, async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
  const add = db.prepare(
    "insert into apps (name, descriptive_name, port, user_id, created_at, updated_at) values (?, ?, ?, ?, '2026-01-05T09:00:00.000Z', '2026-01-05T09:00:00.000Z')"
  )
  db.transaction(() => {
    for (let i = 0; i < 3000; i++) {
      add.run(`f${i.toString(16).padStart(13, '0')}`, `Many ${i}`, 5000 + i, i % 8 === 0 ? 2 : 1)
    }
  })()
  db.close()
  const names = (await ada('GET', '/apps')).json.map(({ descriptive_name: name }: { descriptive_name: string }) => name)
  t.equal(names.length, 2625 + 8)
  t.same(names, [...names].sort())
  let count = 0
  for (let url = '/apps?limit=1000'; url !== '';) {
    const { json, headers } = await ada('GET', url)
    count += (json as unknown[]).length
    url = /^<(.*)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1] ?? ''
  }
  t.equal(count, 2633)
})
