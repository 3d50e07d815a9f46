import { test } from 'tap'
import { SAMPLE_PASSWORD, world } from '../helper.ts'
import type { World } from '../helper.ts'

// The requests that Trivial's own interface (trivial-ui 8a77943) sends.

const ORIGIN = 'http://localhost:5173'
const PASSWORD = 'another green kettle'
const WEATHER = '70e2d94bc6a18f'
const INVOICES = 'ba6811fb3e073d'

/**
 * Opens a page of the interface. Each request has the four headers from the page's cookies, and the JSON media type.
 */
const openPage = ({ fastify }: World) => {
  const cookies = new Map<string, string>()
  const request = async (path: string, method = 'GET', data?: object) => {
    const reply = await fastify.inject({
      method: method as 'GET',
      url: path,
      headers: {
        origin: ORIGIN,
        'content-type': 'application/json',
        ...Object.fromEntries(
          ['access-token', 'client', 'expiry', 'uid'].map(name => [name, cookies.get(name) ?? 'undefined'])
        )
      },
      ...(data === undefined ? {} : { payload: data })
    })
    const exposed = String(reply.headers['access-control-expose-headers']).split(', ')
    return { reply, exposed, json: reply.payload === '' ? undefined : reply.json() }
  }
  return {
    request,
    /** Signs in or up, and stores the headers that the page may read. */
    begin: async (path: string, data: object) => {
      const { reply, exposed, json } = await request(path, 'POST', data)
      for (const name of exposed) cookies.set(name, String(reply.headers[name]))
      return json.data as { id: number }
    },
    forget: () => {
      cookies.clear()
    }
  }
}

const open = async (t: Parameters<typeof world>[0]) => {
  const made = await world(t, { CORS_ORIGINS: ORIGIN })
  const page = openPage(made)
  return { made, page, ...page }
}

const LOGIN = { email: 'ada@example.com', password: SAMPLE_PASSWORD }

test("a preflight allows the headers of every request, and a page may read a session's headers", async t => {
  const { made, request } = await open(t)
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const { headers } = await made.fastify.inject({
      method: 'OPTIONS',
      url: '/apps',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': method,
        'access-control-request-headers': 'access-token,client,content-type,expiry,uid'
      }
    })
    t.equal(headers['access-control-allow-origin'], ORIGIN)
    t.ok(String(headers['access-control-allow-methods']).split(', ').includes(method), method)
    const allowed = String(headers['access-control-allow-headers']).split(', ')
    for (const name of ['access-token', 'client', 'content-type', 'expiry', 'uid']) t.ok(allowed.includes(name), name)
  }
  const { exposed } = await request('/profile')
  for (const name of ['access-token', 'client', 'expiry', 'uid']) t.ok(exposed.includes(name), name)
})

test('GET /profile returns an object with a user property', async t => {
  const { request, begin } = await open(t)
  const { id } = await begin('/auth/sign_in', LOGIN)
  t.match((await request('/profile')).json, { user: { id, name: 'Ada Moreno', account_locked: false } })
  for (const method of ['PUT', 'PATCH']) {
    const { reply, json } = await request('/profile', method, { color_theme: method })
    t.same([reply.statusCode, Object.keys(json), json.user.color_theme], [200, ['user'], method])
  }
})

test('signing up as a member is accepted, and signing up as an admin is refused', async t => {
  const { made, request, begin } = await open(t)
  const eve = { name: 'Eve Park', email: 'eve@example.com', password: PASSWORD }
  const refused = await request('/auth', 'POST', { ...eve, role: 'admin' })
  t.match([refused.reply.statusCode, refused.json], [422, { errors: ['role must be member'] }])
  t.equal((await made.call('GET', '/users')).json.length, 4)
  const user = await begin('/auth', { ...eve, role: 'member' })
  t.match((await request('/profile')).json.user, { id: user.id, role: 'member' })
})

test('signing out without a session returns a 404 with exactly one error, as the interface expects', async t => {
  const { made, request, begin, forget } = await open(t)
  await begin('/auth/sign_in', LOGIN)
  const without = { success: false, code: 'NOT_SIGNED_IN', errors: ['User was not found or was not logged in.'] }
  const isWithout = ({ reply, json }: Awaited<ReturnType<typeof request>>, what: string): void => {
    t.match([reply.statusCode, json], [404, without], what)
    t.equal(json.errors.length, 1)
    t.match(reply.headers, { 'content-type': /^application\/problem\+json/, 'www-authenticate': undefined })
    t.equal(reply.headers['access-control-allow-origin'], ORIGIN)
  }
  t.equal((await request('/auth/sign_out', 'DELETE')).reply.statusCode, 204)
  isWithout(await request('/auth/sign_out', 'DELETE'), 'the session is over')
  forget()
  isWithout(await request('/auth/sign_out', 'DELETE'), 'the cookies were removed, as in the interface')
  const signOut = async (headers: Record<string, string>) =>
    await made.fastify.inject({ method: 'DELETE', url: '/auth/sign_out', headers })
  const credentials: Record<string, string>[] = [{}, { authorization: 'Bearer x' }, { authorization: 'Basic eDp4' }]
  for (const headers of credentials) {
    const reply = await signOut(headers)
    t.match([reply.statusCode, reply.json()], [404, without], JSON.stringify(headers))
    t.equal(reply.headers['www-authenticate'], undefined)
  }
  const { status, json } = await made.call('DELETE', '/auth/sign_out')
  t.same([status, json.code, json.success], [403, 'USER_REQUIRED', undefined], 'a client key is not a session')
})

test("a user's permissions are the names of apps, grouped by permit", async t => {
  const { made, request, begin } = await open(t)
  const { id } = await begin('/auth/sign_in', LOGIN)
  const all = (await request('/apps')).json as { name: string }[]
  const sets = async () => (await request(`/users/${id}/permissions`)).json
  const names = async (permit: string): Promise<string[]> => (await sets())[permit].app_names
  t.same(Object.keys(await sets()), ['update', 'destroy', 'grant', 'transfer'])
  for (const permit of ['update', 'destroy', 'grant', 'transfer']) {
    t.same((await sets())[permit].credential_set_ids, [])
    t.same(
      (await names(permit)).sort(),
      all.map(({ name }) => name).sort(),
      "the user's apps and those of her organization"
    )
  }

  await made.call('POST', '/apps/96c7b20ae5d41f/permission/update/users/1')
  await made.call('POST', '/apps/ec03f6917bd8a4/permission/read/users/1')
  await made.call('POST', `/apps/${WEATHER}/permissions/users/1`)
  await made.call('DELETE', `/apps/${INVOICES}`)
  t.equal((await names('update')).length, 8, 'one app was granted, one was deleted, and none is listed twice')
  t.ok((await names('update')).includes('96c7b20ae5d41f'))
  t.notOk((await names('destroy')).includes('96c7b20ae5d41f'))
  t.notOk((await names('update')).includes('ec03f6917bd8a4'), 'no list contains the permission read')

  await made.call('PUT', '/organizations/3/users/3', { role: 'admin' })
  await made.call('PUT', '/organizations/1/users/4', { role: 'admin' })
  await made.call('PUT', '/organizations/1/users/1', { role: 'member' })
  t.equal((await names('update')).length, 4, 'members may not administer apps')
  t.equal((await request('/users/2/permissions')).reply.statusCode, 403)
  t.equal((await made.call('GET', '/users/2/permissions')).status, 200)
  t.equal((await made.call('GET', '/users/99/permissions')).status, 404)
})

test('an app is transferred by its id, to a user and to an organization', async t => {
  const { request, begin } = await open(t)
  const { id: user } = await begin('/auth/sign_in', LOGIN)
  const { id } = (await request(`/apps/${WEATHER}`)).json
  for (const [path, owner] of [
    ['organizations/1', { owner_type: 'Organization', owner_id: 1 }],
    [`users/${user}`, { owner_type: 'User', owner_id: user }]
  ] as const) {
    const { reply, json } = await request(`/apps/${id}/transfer/${path}`, 'PUT')
    t.same([reply.statusCode, json], [200, { message: 'Transfer Ownership OK' }])
    t.match((await request(`/apps/${WEATHER}`)).json, owner)
  }
  t.equal((await request(`/apps/${id}/transfer/User/${user}`, 'PUT')).reply.statusCode, 422)
})

test('delete_org_role removes a member, but not the last admin', async t => {
  const { request, begin } = await open(t)
  await begin('/auth/sign_in', LOGIN)
  const remove = async (query: string, id = 1) =>
    (await request(`/organizations/${id}/delete_org_role${query}`, 'DELETE')).reply
  const removed = await remove('?user_id=2')
  t.same([removed.statusCode, removed.payload], [204, ''])
  t.same(
    (await request('/organizations/1')).json.users.map((member: { id: number }) => member.id),
    [1, 3]
  )
  t.match((await remove('?user_id=1')).json(), { code: 'LAST_ADMIN' })
  t.match((await remove('?user_id=2')).json(), { code: 'USER_NOT_FOUND' })
  t.match((await remove('?user_id=2', 2)).json(), { code: 'ORGANIZATION_NOT_FOUND' })
  for (const query of ['', '?user_id=undefined', '?user_id=2&role=admin']) {
    t.equal((await remove(query)).statusCode, 422, query)
  }
})

test("the interface's requests create, change, copy and delete apps", async t => {
  const { request, begin } = await open(t)
  await begin('/auth/sign_in', LOGIN)
  const panels = { component: 'Dashboard', options: { apps: [] } }
  const { reply, json: app } = await request('/apps', 'POST', { descriptive_name: 'Night Shift', panels })
  t.same([reply.statusCode, app.panels], [201, panels])
  const changes = [{ descriptive_name: 'Day Shift' }, { panels: null }, { schedule: {} }]
  for (const change of changes) t.equal((await request(`/apps/${app.name}`, 'PUT', change)).reply.statusCode, 200)
  const copy = await request(`/apps/${app.name}/copy`, 'POST', { new_app_descriptive_name: 'Day Shift Copy' })
  t.match(copy.json, { name: /^[0-9a-f]{14}$/, descriptive_name: 'Day Shift Copy' })
  t.equal((await request(`/apps/${app.name}`, 'DELETE')).reply.statusCode, 204)
  t.match((await request('/apps/name_suggestion')).json, { suggestion: /^\w+ \w+$/ })
  for (const each of (await request('/apps')).json.filter(({ name }: { name: string }) => name !== copy.json.name)) {
    t.match(
      each,
      { panels: { component: 'Dashboard', options: { apps: [] } } },
      'the panels are those in the sample data'
    )
  }
})
