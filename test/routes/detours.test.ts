import { test } from 'tap'
import { SAMPLE_PASSWORD, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { signIn } from './user.ts'

const PASSWORD = 'seven green kettles'
const ADAS_APP = '70e2d94bc6a18f'
const CHIARAS_APP = 'cf61a04d8e39b7'

/** Signs up a user. Returns the id, and a function that sends requests as the user. */
const signUp = async (made: World, email: string): Promise<{ id: number; call: World['call'] }> => {
  const body = { name: 'New', email, password: PASSWORD }
  const { json, headers } = await made.call('POST', '/auth', body, { authorization: '' })
  const authorization = String(headers['authorization'])
  return { id: json.data.id, call: async (method, url, more) => await made.call(method, url, more, { authorization }) }
}

/** Adds an admin to Northwind and to River Valley Trust, so that any user can be deleted. */
const addAdmins = async ({ call }: World): Promise<void> => {
  await call('PUT', '/organizations/1/users/2', { role: 'admin' })
  await call('PUT', '/organizations/3/users/2', { role: 'admin' })
}

test("an administrator who takes over a user's e-mail address gets none of the user's data", async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  const ada = await signIn(made, 'ada')
  t.equal((await dmitri('PATCH', '/users/1', { email: 'moved@example.com' })).status, 200)
  t.equal((await ada('GET', '/profile')).status, 401, 'the sessions have ended')
  const attacker = await signUp(made, 'ada@example.com')
  t.not(attacker.id, 1)
  for (const call of [dmitri, attacker.call]) {
    t.equal((await call('GET', `/apps/${ADAS_APP}`)).status, 404)
    t.equal((await call('GET', '/organizations/1')).status, 404)
  }
  t.same((await attacker.call('GET', '/apps')).json, [])
  t.equal((await dmitri('PATCH', '/users/1', { password: PASSWORD })).status, 403)
  await t.rejects(signIn(made, 'moved', PASSWORD), /401/, "the user's password is unchanged")
  t.equal((await (await signIn(made, 'moved', SAMPLE_PASSWORD))('GET', `/apps/${ADAS_APP}`)).status, 200)
})

test("a user who signs up with a deleted user's e-mail address inherits nothing", async t => {
  const made = await world(t)
  await addAdmins(made)
  const chiara = await signIn(made, 'chiara')
  await made.call('POST', `/apps/${ADAS_APP}/permission/transfer/users/3`)
  t.equal((await made.call('DELETE', '/users/3?apps=delete')).status, 204)
  const { id, call } = await signUp(made, 'chiara@example.com')
  t.ok(id > 4, 'the user has a new id')
  t.equal((await chiara('GET', '/profile')).status, 401, 'earlier sessions do not belong to the new user')
  t.equal((await call('GET', '/profile/sessions')).json.length, 1)
  t.same((await call('GET', `/users/${id}/grants`)).json, [])
  t.same((await call('GET', '/organizations')).json, [])
  t.same((await call('GET', '/apps?include_deleted=true')).json, [])
  for (const name of [ADAS_APP, CHIARAS_APP]) t.equal((await call('GET', `/apps/${name}`)).status, 404)
})

test("an organization that adds a user gets none of the user's data, and the user may leave or delete the organization", async t => {
  const made = await world(t)
  const { call: outsider } = await signUp(made, 'outsider@example.com')
  const { json: trap } = await outsider('POST', '/organizations', { name: 'Trap', billing_email: 't@example.com' })
  const { json: app } = await outsider('POST', '/apps', {
    descriptive_name: 'Bait',
    owner_type: 'Organization',
    owner_id: trap.id
  })
  const ada = await signIn(made, 'ada')
  for (const role of ['member', 'admin']) {
    const added = await outsider('PUT', `/organizations/${trap.id}/users/1`, { role, email: 'ada@example.com' })
    t.equal(added.status, 200)
    t.equal((await outsider('GET', `/apps/${ADAS_APP}`)).status, 404, role)
    t.same(
      (await outsider('GET', '/apps')).json.map(({ name }: { name: string }) => name),
      [app.name]
    )
    for (const path of ['users/5', `organizations/${trap.id}`]) {
      t.equal((await outsider('PUT', `/apps/${ADAS_APP}/transfer/${path}`)).status, 404)
    }
  }
  t.equal((await outsider('DELETE', `/organizations/${trap.id}/users/5`)).status, 204, 'Ada is the last admin now')
  t.equal((await ada('DELETE', `/organizations/${trap.id}/users/1`)).status, 409)
  t.equal((await ada('DELETE', `/organizations/${trap.id}?apps=delete`)).status, 204)
  t.equal((await made.call('GET', `/apps/${app.name}`)).status, 404)
  t.equal((await ada('GET', `/apps/${ADAS_APP}`)).status, 200)
})

test('a user with grants can grant only those to others, and transfer an app only to themselves', async t => {
  const made = await world(t)
  const [ada, ben, chiara] = [await signIn(made, 'ada'), await signIn(made, 'ben'), await signIn(made, 'chiara')]
  const permit = (name: string, userId: number): string => `/apps/${ADAS_APP}/permission/${name}/users/${userId}`
  await ada('POST', permit('grant', 2))
  for (const name of ['update', 'destroy', 'transfer', 'revoke']) {
    t.equal((await ben('POST', permit(name, 2))).status, 403, `${name}, granted to themselves`)
    t.equal((await ben('POST', permit(name, 3))).status, 403, name)
  }
  t.equal((await chiara('PUT', `/apps/${ADAS_APP}/transfer/users/3`)).status, 403)
  await ada('POST', permit('transfer', 2))
  t.equal((await ben('PUT', `/apps/${ADAS_APP}/transfer/users/3`)).status, 403, 'a transfer to another user')
  t.equal(
    (await ben('PUT', `/apps/${ADAS_APP}/transfer/organizations/3`)).status,
    403,
    'a transfer to an organization that the user does not belong to'
  )
  await ada('DELETE', permit('transfer', 2))
  t.equal((await ben('PUT', `/apps/${ADAS_APP}/transfer/users/2`)).status, 403, 'the grant was revoked')
})

test('a demoted administrator can no longer manage users, but the keys that they issued remain active', async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  const issued = await dmitri('POST', '/client_keys', { name: 'k', scopes: ['users:read', 'users:write'] })
  const withKey: World['call'] = async (method, url, body) =>
    await made.call(method, url, body, { authorization: `Bearer ${issued.json.key_access_token}` })
  t.equal((await made.call('PATCH', '/users/4', { role: 'member' })).status, 200)
  for (const [method, url] of [
    ['GET', '/users'],
    ['DELETE', '/users/3?apps=delete'],
    ['GET', '/client_keys']
  ] as const) {
    t.match(await dmitri(method, url), { status: 403, json: { code: 'ADMIN_REQUIRED' } }, url)
  }
  t.equal((await withKey('GET', '/users')).status, 200)
  for (const [method, url, body] of [
    ['PATCH', '/users/4', { role: 'admin' }],
    ['PATCH', '/users/1', { password: PASSWORD }],
    ['PATCH', '/users/1', { email: 'moved@example.com' }],
    ['DELETE', '/users/3?apps=delete'],
    ['DELETE', '/users/3?transfer_to=User:4'],
    ['GET', `/apps/${ADAS_APP}`],
    ['POST', '/client_keys', { name: 'l', scopes: ['users:read'] }]
  ] as const) {
    t.equal((await withKey(method, url, body)).status, 403, `${method} ${url}`)
  }
})
