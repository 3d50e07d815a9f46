import { test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { onlyOnSqlite, SAMPLE_PASSWORD, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { fillPasswordQueue, signIn } from './user.ts'

const PASSWORD = 'seven green kettles'

test('only administrators and client keys manage users', async t => {
  const made = await world(t)
  const [ada, dmitri] = [await signIn(made, 'ada'), await signIn(made, 'dmitri')]
  for (const [method, url, body] of [
    ['GET', '/users'],
    ['POST', '/users', { name: 'x', email: 'x@example.com' }],
    ['GET', '/users/1'],
    ['PATCH', '/users/1', {}],
    ['DELETE', '/users/1'],
    ['GET', '/client_keys']
  ] as const) {
    t.match(await ada(method, url, body), { status: 403, json: { code: 'ADMIN_REQUIRED' } }, `${method} ${url}`)
  }
  t.equal((await ada('GET', '/audits')).json.code, 'CLIENT_KEY_REQUIRED')
  t.equal((await dmitri('GET', '/client_keys/me')).json.code, 'CLIENT_KEY_REQUIRED')
  for (const call of [dmitri, made.call]) {
    t.same(
      (await call('GET', '/users')).json.map(({ email }: { email: string }) => email),
      ['ada@example.com', 'ben@example.com', 'chiara@example.com', 'dmitri@example.com']
    )
  }
  t.equal((await made.call('GET', '/users?limit=3')).headers['link'], '</users?limit=3&after=3>; rel="next"')
  t.equal((await made.call('GET', '/users?after=3')).json.length, 1)
  t.same((await dmitri('GET', '/users/4')).json, {
    id: 4,
    name: 'Dmitri Sato',
    email: 'dmitri@example.com',
    role: 'admin',
    color_theme: null,
    created_at: '2026-01-05T09:00:00.000Z',
    account_locked: false
  })
  t.equal((await dmitri('GET', '/users/99')).status, 404)
  t.equal((await dmitri('GET', '/users/x')).status, 404)
})

test('a user is created, changed and deleted, and the audit trail contains no password', async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  const {
    status,
    headers,
    json: { id }
  } = await dmitri('POST', '/users', {
    name: 'Eve Park',
    email: 'Eve@example.com',
    password: PASSWORD,
    role: 'admin',
    color_theme: 'dark',
    account_locked: false
  })
  t.equal(status, 201)
  t.equal(headers['location'], `/users/${id}`)
  const eve = await signIn(made, 'eve', PASSWORD)
  t.equal((await eve('GET', '/users')).status, 200)
  t.match(await dmitri('POST', '/users', { name: 'x', email: 'EVE@example.com' }), {
    status: 409,
    json: { code: 'EMAIL_TAKEN' }
  })
  t.match(await dmitri('POST', '/users', { name: 'x', email: 'y@example.com', password: 'short' }), { status: 422 })
  t.match(await dmitri('PATCH', `/users/${id}`, { email: 'ada@example.com' }), { status: 409 })
  t.match(await dmitri('PATCH', '/users/99', {}), { status: 404 })
  t.match(
    (
      await dmitri('PUT', `/users/${id}`, {
        role: 'member',
        name: 'Eve P.',
        email: 'EP@example.com',
        color_theme: null
      })
    ).json,
    { role: 'member', name: 'Eve P.', email: 'ep@example.com', color_theme: null }
  )
  t.equal((await dmitri('PATCH', `/users/${id}`, { name: 'Eve P.' })).status, 200)
  t.match(
    await dmitri('PATCH', `/users/${id}`, { password: 'another green kettle' }),
    { status: 403, json: { code: 'FORBIDDEN' } },
    "administrators cannot set another user's password"
  )
  t.equal(
    (await made.call('PATCH', `/users/${id}`, { password: 'another green kettle' })).status,
    200,
    'an unlimited key can set the password'
  )
  t.equal((await eve('GET', '/profile')).status, 401)
  t.equal((await signIn(made, 'ep', 'another green kettle').then(call => call('GET', '/users'))).status, 403)
  const { text } = await made.call('GET', `/audits?subject_type=user&subject_id=${id}`)
  t.same((JSON.parse(text) as { action: string }[]).map(({ action }) => action).reverse(), [
    'user.create',
    'user.sign_in',
    'user.update',
    'user.update',
    'user.sign_in'
  ])
  t.match(text, '"password":{"changed":true}')
  for (const secret of [PASSWORD, 'another green kettle', 'argon2']) t.notMatch(text, secret)

  t.equal((await dmitri('DELETE', `/users/${id}`)).status, 204)
  t.equal((await dmitri('DELETE', `/users/${id}`)).status, 404)
  t.match(await dmitri('DELETE', '/users/4'), { status: 409, json: { code: 'OWNS_APPS' } })
  t.match(await made.call('DELETE', '/users/4?transfer_to=Organization:2'), { status: 204 })
  t.equal((await dmitri('GET', '/profile')).status, 401)
  t.match(
    (await made.call('GET', '/apps?tagged_with=[{"stage":"staging"}]')).json.map(
      ({ owner_type: type }: { owner_type: string }) => type
    ),
    ['Organization', 'Organization', 'Organization']
  )
})

test('a user who does not exist cannot be changed', async t => {
  const { call } = await world(t)
  t.match(await call('PATCH', '/users/99', { name: 'Nobody' }), { status: 404, json: { code: 'USER_NOT_FOUND' } })
  t.match(await call('DELETE', '/users/99'), { status: 404, json: { code: 'USER_NOT_FOUND' } })
  t.match(await call('GET', '/users/99/grants'), { status: 404, json: { code: 'USER_NOT_FOUND' } })
})

test('administrators manage client keys within their own permissions', async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  for (const scopes of [['*'], ['apps:read'], ['organizations:read'], ['audits:read']]) {
    t.match(
      await dmitri('POST', '/client_keys', { name: 'k', scopes }),
      { status: 403, json: { code: 'BEYOND_CEILING' } },
      "the key may not change other users' apps"
    )
  }
  const issued = await dmitri(
    'POST',
    '/client_keys',
    { name: 'k', scopes: ['users:read', 'client_keys:read'] },
    { 'idempotency-key': 'a' }
  )
  t.match(issued, { status: 201, json: { created_by: { kind: 'user', id: '4', name: 'Dmitri Sato' } } })
  const again = await dmitri(
    'POST',
    '/client_keys',
    { name: 'k', scopes: ['users:read', 'client_keys:read'] },
    { 'idempotency-key': 'a' }
  )
  t.equal(again.json.id, issued.json.id)
  const as = { authorization: `Bearer ${again.json.key_access_token}` }
  t.equal((await made.call('GET', '/users', undefined, as)).status, 200)
  t.equal((await dmitri('PATCH', `/client_keys/${issued.json.id}`, { scopes: ['users:read'] })).status, 200)
  t.equal((await dmitri('POST', `/client_keys/${issued.json.id}/revoke`, {})).status, 200)
  t.equal((await made.call('GET', '/users', undefined, as)).status, 401)
  const broad = (await made.call('POST', '/client_keys', { name: 'broad' })).json.id
  t.equal((await dmitri('POST', `/client_keys/${broad}/revoke`, {})).status, 403)
})

test('a key with any restriction cannot create an administrator or take over an account', async t => {
  const made = await world(t)
  const {
    json: { key_access_token: token }
  } = await made.call('POST', '/client_keys', {
    name: 'users',
    scopes: ['users:read', 'users:write', 'organizations:write']
  })
  const call = async (method: string, url: string, body?: object) =>
    await made.call(method, url, body, { authorization: `Bearer ${token}` })
  for (const [method, url, body] of [
    ['POST', '/users', { name: 'x', email: 'x@example.com', role: 'admin' }],
    ['PATCH', '/users/1', { role: 'admin' }],
    ['PATCH', '/users/1', { password: PASSWORD }],
    ['PATCH', '/users/1', { email: 'thief@example.com' }],
    ['PATCH', '/users/4', { account_locked: true }],
    ['DELETE', '/users/4']
  ] as const) {
    t.match(await call(method, url, body), { status: 403, json: { code: 'BEYOND_CEILING' } }, `${method} ${url}`)
  }
  for (const url of ['/users/3?transfer_to=User:1', '/organizations/2?transfer_to=User:1']) {
    t.match(await call('DELETE', url), { status: 403, json: { code: 'INSUFFICIENT_SCOPE' } })
  }
  t.equal((await call('PATCH', '/users/3', { account_locked: true, name: 'C. Lund' })).status, 200)
  t.equal((await call('POST', '/users', { name: 'x', email: 'x@example.com', password: PASSWORD })).status, 201)
})

test(
  'a key that is restricted while a password is being hashed, or a token that expires soon, cannot create an administrator',
  onlyOnSqlite,
  async t => {
    const made = await world(t)
    const issue = async () => (await made.call('POST', '/client_keys', { name: `all ${Math.random()}` })).json
    const { id, key_access_token: token } = await issue()
    const by = async (bearer: string, method: string, url: string, body: object) =>
      await made.call(method, url, body, { authorization: `Bearer ${bearer}` })
    const { othersWait, over } = fillPasswordQueue(made.fastify.passwords)
    const changed = by(token, 'PATCH', '/users/4', { password: PASSWORD })
    const created = by(token, 'POST', '/users', {
      name: 'Heir',
      email: 'heir@example.com',
      password: PASSWORD,
      role: 'admin'
    })
    await othersWait(2)
    t.equal((await made.call('PATCH', `/client_keys/${id}`, { scopes: ['users:write'] })).status, 200)
    t.match(await changed, { status: 403, json: { code: 'BEYOND_CEILING' } })
    t.match(await created, { status: 403, json: { code: 'BEYOND_CEILING' } })
    await over()

    const old = await issue()
    const { json: rotated } = await made.call('POST', `/client_keys/${old.id}/rotate`, { grace_seconds: 600 })
    for (const [method, url, body] of [
      ['POST', '/users', { name: 'Heir', email: 'heir@example.com', role: 'admin' }],
      ['PATCH', '/users/3', { password: PASSWORD }]
    ] as const) {
      t.match(await by(old.key_access_token, method, url, body), { status: 403, json: { code: 'BEYOND_CEILING' } })
      t.ok((await by(rotated.key_access_token, method, url, body)).status < 300)
    }
  }
)

test("no string that could be a credential is stored in a user's fields", async t => {
  const made = await world(t)
  const keyId = '0123456789abcdef'.repeat(2)
  for (const field of ['name', 'color_theme']) {
    t.equal(
      (await made.call('POST', '/users', { name: 'X', email: 'x@example.com', [field]: keyId })).status,
      422,
      field
    )
    t.equal((await made.call('PATCH', '/users/1', { [field]: keyId })).status, 422, field)
  }
})

test("an administrator who deletes a user cannot get the user's apps, even through another user or organization", async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  const { json: puppet } = await dmitri('POST', '/users', {
    name: 'Puppet',
    email: 'puppet@example.com',
    password: PASSWORD
  })
  const byPuppet = await signIn(made, 'puppet', PASSWORD)
  const organizations = [
    await dmitri('POST', '/organizations', { name: 'Own', billing_email: 'own@example.com' }),
    await byPuppet('POST', '/organizations', { name: 'Trap', billing_email: 'trap@example.com' })
  ].map(({ json }) => json.id)
  await byPuppet('PUT', `/organizations/${organizations[1]}/users/3`, { role: 'member', email: 'chiara@example.com' })
  await made.call('PUT', '/organizations/3/users/1', { role: 'admin' })
  for (const to of [
    'User:4',
    `User:${puppet.id}`,
    'User:3',
    ...organizations.map(id => `Organization:${id}`),
    'Organization:1',
    'User:99'
  ]) {
    for (const id of [3, 4, 99]) {
      t.match(
        await dmitri('DELETE', `/users/${id}?transfer_to=${to}`),
        { status: 403, json: { code: 'TRANSFER_NOT_ALLOWED' } },
        `${id} to ${to}`
      )
    }
  }
  for (const call of [dmitri, byPuppet]) t.equal((await call('GET', '/apps/cf61a04d8e39b7')).status, 404)
  t.match((await made.call('GET', '/apps/cf61a04d8e39b7')).json, { owner_type: 'User', owner_id: 3 })
  t.match(await dmitri('DELETE', '/users/3'), { status: 409, json: { code: 'OWNS_APPS', detail: /apps=delete/ } })
})

test('an administrator can delete a user along with their apps if the request asks for it', async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  const chiara = await signIn(made, 'chiara')
  await made.call('PUT', '/organizations/3/users/1', { role: 'admin' })
  await made.call('DELETE', '/apps/52f8e7b3c9a06d')
  await made.call('POST', '/apps/cf61a04d8e39b7/permission/read/users/1')
  t.match(await dmitri('DELETE', '/users/3?apps=delete&transfer_to=User:4'), {
    status: 422,
    json: {
      errors: ['transfer_to and apps cannot be sent together: the apps can be transferred or deleted, but not both']
    }
  })
  t.match(await dmitri('DELETE', '/users/3?apps=keep'), { status: 422, json: { errors: ['apps must be delete'] } })
  t.equal((await dmitri('DELETE', '/users/3?apps=delete')).status, 204)
  t.equal((await chiara('GET', '/profile')).status, 401)
  const { json: kept } = await made.call('GET', '/apps?include_deleted=true')
  t.equal(kept.length, 22)
  t.notOk(
    kept.some(
      ({ owner_type: type, owner_id: id }: { owner_type: string; owner_id: number }) => type === 'User' && id === 3
    )
  )
  t.same((await made.call('GET', '/users/1/grants')).json, [])
  const actor = { kind: 'user', id: '4', name: 'Dmitri Sato' }
  t.match((await made.call('GET', '/audits?limit=5')).json, [
    {
      action: 'user.delete',
      actor,
      changes: { apps: { from: 1, to: 0 }, deleted_apps: { from: 1, to: 0 }, organizations: { from: 2, to: 0 } }
    },
    { action: 'app.revoke' },
    { action: 'organization.remove_user' },
    { action: 'organization.remove_user' },
    {
      action: 'app.delete',
      actor,
      subject: { type: 'app', id: 'cf61a04d8e39b7' },
      changes: { owner_type: { from: 'User', to: null }, owner_id: { from: 3, to: null } }
    }
  ])
})

test('a client key with apps:write and users:write can transfer or delete the apps of a user that it deletes', async t => {
  const made = await world(t)
  const withScopes = async (...scopes: string[]): Promise<World['call']> => {
    const { json } = await made.call('POST', '/client_keys', { name: scopes.join(' '), scopes })
    return async (method, url) =>
      await made.call(method, url, undefined, { authorization: `Bearer ${json.key_access_token}` })
  }
  const [byUsers, byApps, byBoth] = [
    await withScopes('users:write'),
    await withScopes('apps:write', 'users:read'),
    await withScopes('apps:write', 'users:write')
  ]
  await made.call('PUT', '/organizations/2/users/1', { role: 'admin' })
  await made.call('PUT', '/organizations/3/users/1', { role: 'admin' })
  for (const query of ['transfer_to=User:1', 'apps=delete']) {
    t.match(await byUsers('DELETE', `/users/3?${query}`), {
      status: 403,
      json: { code: 'INSUFFICIENT_SCOPE', detail: /apps:write/ }
    })
    t.match(await byApps('DELETE', `/users/3?${query}`), {
      status: 403,
      json: { code: 'INSUFFICIENT_SCOPE', detail: /users:write/ }
    })
  }
  t.match(await byUsers('DELETE', '/users/3'), { status: 409, json: { code: 'OWNS_APPS' } })
  t.match(await byBoth('DELETE', '/users/3?transfer_to=User:99'), { status: 422, json: { code: 'OWNER_NOT_FOUND' } })
  await made.call('POST', '/apps/70e2d94bc6a18f/permission/read/users/2')
  t.equal((await byBoth('DELETE', '/users/2?transfer_to=User:1')).status, 204)
  const newest = (await made.call('GET', '/audits?limit=8')).json.map(({ action }: { action: string }) => action)
  t.same(newest, [
    'user.delete',
    'app.revoke',
    'organization.remove_user',
    'organization.remove_user',
    'app.transfer',
    'app.transfer',
    'app.transfer',
    'app.grant'
  ])
  t.equal((await byBoth('DELETE', '/users/3?apps=delete')).status, 204)
  t.equal((await made.call('GET', '/apps/cf61a04d8e39b7')).status, 404)
})

test("the last administrator of an organization can't be deleted, regardless of the disposal of their apps", async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  for (const [call, query] of [
    [dmitri, ''],
    [dmitri, '?apps=delete'],
    [made.call, '?apps=delete'],
    [made.call, '?transfer_to=User:1']
  ] as const) {
    t.match(await call('DELETE', `/users/2${query}`), { status: 409, json: { code: 'LAST_ADMIN' } }, query)
  }
})

test(
  "a user with more than a thousand apps can't be deleted before the apps are transferred",
  onlyOnSqlite,
  async t => {
    const made = await world(t)
    const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
    const add = db.prepare(
      "insert into apps (name, descriptive_name, port, user_id, created_at, updated_at) values (?, ?, ?, 1, '2026-01-05T09:00:00.000Z', '2026-01-05T09:00:00.000Z')"
    )
    db.transaction(() => {
      for (let i = 0; i < 1001; i++) add.run(`f${i.toString(16).padStart(13, '0')}`, `Many ${i}`, 5000 + i)
    })()
    db.close()
    await made.call('PUT', '/organizations/1/users/2', { role: 'admin' })
    t.match(await made.call('DELETE', '/users/1?transfer_to=User:2'), { status: 409, json: { code: 'TOO_MANY_APPS' } })
  }
)

test('a request is refused if its sender loses permission while a password is being hashed', async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  const { othersWait, over } = fillPasswordQueue(made.fastify.passwords)
  const created = dmitri('POST', '/users', {
    name: 'Heir',
    email: 'heir@example.com',
    password: PASSWORD,
    role: 'admin'
  })
  const signing = made.fastify.inject({
    method: 'POST',
    url: '/auth/sign_in',
    payload: { email: 'ada@example.com', password: SAMPLE_PASSWORD }
  })
  // Both requests have been authenticated, and are waiting in the queue.
  await othersWait(2)
  await made.call('PATCH', '/users/4', { account_locked: true })
  await made.call('PATCH', '/users/1', { account_locked: true })
  t.equal((await created).status, 401)
  t.match((await signing).json(), { code: 'INVALID_LOGIN' })
  await over()
  t.equal((await made.call('GET', '/users')).json.length, 4)
})

test("a session that ends while its request's body is arriving changes nothing", async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  t.equal((await ada('PATCH', '/apps/70e2d94bc6a18f', { panels: {} })).status, 200)
  t.equal((await ada('DELETE', '/auth/sign_out')).status, 204)
  t.equal((await ada('PATCH', '/apps/70e2d94bc6a18f', { panels: {} })).status, 401)
  t.equal(
    (
      await made.fastify.inject({
        method: 'POST',
        url: '/auth/sign_in',
        payload: { email: 'ada@example.com', password: SAMPLE_PASSWORD }
      })
    ).statusCode,
    200
  )
})

test(
  'a user with very many grants, organizations and deleted apps is deleted, and the audit trail counts them',
  onlyOnSqlite,
  async t => {
    const made = await world(t)
    const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
    const at = '2026-01-05T09:00:00.000Z'
    const app = db.prepare(
      'insert into apps (name, descriptive_name, port, user_id, created_at, updated_at, discarded_at) values (?, ?, ?, ?, ?, ?, ?)'
    )
    const grant = db.prepare('insert into grants values (?, 4, 1)')
    db.transaction(() => {
      for (let i = 0; i < 1500; i++) {
        grant.run(
          app.run(`e${i.toString(16).padStart(13, '0')}`, `Granted ${i}`, 5000 + i, 1, at, at, null).lastInsertRowid
        )
        app.run(`f${i.toString(16).padStart(13, '0')}`, `Deleted ${i}`, 7000 + i, 4, at, at, at)
        const { lastInsertRowid: id } = db
          .prepare('insert into organizations (name, billing_email, created_at, updated_at) values (?, ?, ?, ?)')
          .run('O', 'o@example.com', at, at)
        db.prepare("insert into memberships values (?, 4, 'guest')").run(id)
      }
    })()
    db.close()
    const { json: granted } = await made.call('GET', '/users/4/grants')
    t.equal(granted.length, 1500)
    t.equal(new Set(granted.map(({ app_id: id }: { app_id: number }) => id)).size, 1500)
    t.match(await made.call('DELETE', '/users/4'), { status: 409, json: { code: 'OWNS_APPS' } })
    t.equal((await made.call('DELETE', '/users/4?transfer_to=User:2')).status, 204)
    t.match((await made.call('GET', '/audits?limit=1')).json, [
      {
        action: 'user.delete',
        subject: { type: 'user', id: '4' },
        changes: {
          apps: { from: 2, to: 0 },
          deleted_apps: { from: 1500, to: 0 },
          organizations: { from: 1500, to: 0 },
          grants: { from: 1500, to: 0 }
        }
      }
    ])
    t.equal((await made.call('GET', '/apps/e0000000000000/permissions')).json.length, 0)
  }
)
