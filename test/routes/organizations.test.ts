import { test } from 'tap'
import { world } from '../helper.ts'
import type { World } from '../helper.ts'
import { signIn } from './user.ts'

const statuses = async (
  call: World['call'],
  ...calls: [method: string, url: string, body?: object][]
): Promise<number[]> => {
  const all: number[] = []
  for (const [method, url, body] of calls) all.push((await call(method, url, body)).status)
  return all
}

test('organizations are visible to their users and to client keys', async t => {
  const made = await world(t)
  const [ada, ben, dmitri] = [await signIn(made, 'ada'), await signIn(made, 'ben'), await signIn(made, 'dmitri')]
  const names = async (call: World['call']): Promise<string[]> =>
    (await call('GET', '/organizations')).json.map(({ name }: { name: string }) => name)
  t.same(await names(made.call), ['Northwind Accounting', 'Harbor Supply', 'River Valley Trust'])
  t.same(await names(ada), ['Northwind Accounting'])
  t.same(await names(ben), ['Northwind Accounting', 'Harbor Supply'])
  t.same(await names(dmitri), [], 'a global admin does not see other organizations')
  const shown = await ada('GET', '/organizations/1')
  t.same(shown.json, {
    id: 1,
    name: 'Northwind Accounting',
    billing_email: 'billing@northwind.example.com',
    users: [
      { id: 1, name: 'Ada Moreno', email: 'ada@example.com', role: 'admin' },
      { id: 2, name: 'Ben Okafor', email: 'ben@example.com', role: 'member' },
      { id: 3, name: 'Chiara Lund', email: 'chiara@example.com', role: 'guest' }
    ]
  })
  t.same((await made.call('GET', '/organizations/1')).json, shown.json)
  t.same(
    await statuses(
      dmitri,
      ['GET', '/organizations/1'],
      ['PATCH', '/organizations/1', {}],
      ['DELETE', '/organizations/1'],
      ['GET', '/organizations/1/audits'],
      ['GET', '/organizations/1/trail']
    ),
    [404, 404, 404, 404, 404]
  )
  t.same(
    await statuses(
      ben,
      ['GET', '/organizations/1'],
      ['PATCH', '/organizations/1', {}],
      ['DELETE', '/organizations/1'],
      ['GET', '/organizations/1/audits'],
      ['PUT', '/organizations/1/users/4', { role: 'guest' }],
      ['DELETE', '/organizations/1/users/3']
    ),
    [200, 403, 403, 403, 403, 403]
  )
  t.same(
    await statuses(
      made.call,
      ['GET', '/organizations/99'],
      ['PUT', '/organizations/99', {}],
      ['DELETE', '/organizations/99'],
      ['PUT', '/organizations/99/users/1', { role: 'guest' }],
      ['DELETE', '/organizations/99/users/1'],
      ['GET', '/organizations/x'],
      ['GET', '/organizations/99/audits'],
      ['GET', '/organizations/99/trail']
    ),
    [404, 404, 404, 404, 404, 404, 404, 404]
  )
  const pages = await made.call('GET', '/organizations?limit=2')
  t.equal(pages.headers['link'], '</organizations?limit=2&after=2>; rel="next"')
  t.equal((await made.call('GET', '/organizations?limit=2&after=2')).json.length, 1)
})

test('the creator of an organization becomes its admin, unless it is a client key', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const reply = await ada('POST', '/organizations', { name: 'New', billing_email: 'Pay@example.com' })
  t.equal(reply.status, 201)
  t.equal(reply.headers['location'], `/organizations/${reply.json.id}`)
  t.match((await ada('GET', `/organizations/${reply.json.id}`)).json.users, [{ id: 1, role: 'admin' }])
  const keys = await made.call('POST', '/organizations', { name: 'By a key', billing_email: 'pay@example.com' })
  t.same((await made.call('GET', `/organizations/${keys.json.id}`)).json.users, [])
  t.match(await ada('POST', '/organizations', { name: '', billing_email: 'x' }), { status: 422 })
  t.match((await ada('PATCH', `/organizations/${reply.json.id}`, { name: 'Newer' })).json, {
    name: 'Newer',
    billing_email: 'Pay@example.com'
  })
  t.match((await ada('PUT', `/organizations/${reply.json.id}`, { billing_email: 'a@example.com' })).json, {
    name: 'Newer',
    billing_email: 'a@example.com'
  })
  t.equal((await ada('PUT', `/organizations/${reply.json.id}`, {})).status, 200, 'nothing to change')
  const { json: audits } = await ada('GET', `/organizations/${reply.json.id}/trail`)
  t.match(
    audits.map(({ action, actor, changes }: { action: string; actor: object; changes: object }) => [
      action,
      actor,
      changes
    ]),
    [
      [
        'organization.update',
        { kind: 'user', id: '1', name: 'Ada Moreno' },
        { billing_email: { from: 'Pay@example.com', to: 'a@example.com' } }
      ],
      ['organization.update', { kind: 'user' }, { name: { from: 'New', to: 'Newer' } }],
      ['organization.create', { kind: 'user' }, { name: { to: 'New' }, admin_id: { to: 1 } }]
    ]
  )
})

test("admins set roles, and the last admin can't be removed", async t => {
  const made = await world(t)
  const [ada, ben, chiara] = [await signIn(made, 'ada'), await signIn(made, 'ben'), await signIn(made, 'chiara')]
  for (const body of [{ role: 'member' }, { role: 'member', email: 'other@example.com' }]) {
    t.match(
      await ada('PUT', '/organizations/1/users/4', body),
      { status: 404, json: { code: 'USER_NOT_FOUND' } },
      'an id does not reveal an address'
    )
  }
  t.match(await ada('PUT', '/organizations/1/users/4', { role: 'member', email: 'Dmitri@example.com' }), {
    status: 200,
    json: { id: 4, role: 'member' }
  })
  t.match(
    await ada('PUT', '/organizations/1/users/4', { role: 'member' }),
    { status: 200 },
    'the request may be repeated'
  )
  t.match(await ada('PUT', '/organizations/1/users/99', { role: 'member' }), {
    status: 404,
    json: { code: 'USER_NOT_FOUND' }
  })
  t.match(await ada('PUT', '/organizations/1/users/4', { role: 'owner' }), { status: 422 })
  t.match(await ada('DELETE', '/organizations/1/users/99'), { status: 404, json: { code: 'USER_NOT_FOUND' } })
  for (const [method, body] of [['PUT', { role: 'member' }], ['DELETE']] as const) {
    t.match(await ada(method, '/organizations/1/users/1', body), { status: 409, json: { code: 'LAST_ADMIN' } })
    t.match(
      await made.call(method, '/organizations/1/users/1', body),
      { status: 409 },
      'a client key cannot remove the last admin either'
    )
  }
  t.match(await made.call('DELETE', '/users/1?transfer_to=User:2'), { status: 409, json: { code: 'LAST_ADMIN' } })
  t.equal((await ada('PUT', '/organizations/1/users/2', { role: 'admin' })).status, 200)
  t.equal((await ben('PUT', '/organizations/1/users/1', { role: 'guest' })).status, 200)
  t.equal((await ada('GET', '/apps/ba6811fb3e073d')).status, 404, 'the change takes effect immediately')
  t.equal((await chiara('DELETE', '/organizations/1/users/3')).status, 204, 'any user may leave')
  t.equal((await chiara('GET', '/organizations/1')).status, 404)
  t.equal((await ben('DELETE', '/organizations/1/users/4')).status, 204)
  const race = await Promise.all([
    ben('PUT', '/organizations/1/users/1', { role: 'admin' }),
    ben('PUT', '/organizations/2/users/1', { role: 'admin', email: 'ada@example.com' })
  ])
  t.same(
    race.map(({ status }) => status),
    [200, 200]
  )
  const leaving = await Promise.all([
    ada('DELETE', '/organizations/1/users/1'),
    ben('DELETE', '/organizations/1/users/2')
  ])
  t.same(leaving.map(({ status }) => status).sort(), [204, 409], 'one of the last two admins remains')
})

test('an organization with apps can be deleted only if its apps are transferred', async t => {
  const made = await world(t)
  const [ada, chiara] = [await signIn(made, 'ada'), await signIn(made, 'chiara')]
  t.match(await ada('DELETE', '/organizations/1'), { status: 409, json: { code: 'OWNS_APPS' } })
  t.match(
    await ada('DELETE', '/organizations/1?transfer_to=Organization:1'),
    { status: 409 },
    'a transfer to the same organization'
  )
  t.match(
    await ada('DELETE', '/organizations/1?transfer_to=User:2'),
    { status: 403 },
    'a user may transfer apps to themselves, or to their own organizations'
  )
  t.match(await ada('DELETE', '/organizations/1?transfer_to=Organization:2'), { status: 403 })
  t.match(await ada('DELETE', '/organizations/1?transfer_to=nobody'), {
    status: 422,
    json: { errors: [/transfer_to must be User: or Organization:/] }
  })
  t.match(await made.call('DELETE', '/organizations/1?transfer_to=User:99'), {
    status: 422,
    json: { code: 'OWNER_NOT_FOUND' }
  })
  await made.call('PATCH', '/apps/70e2d94bc6a18f', { descriptive_name: 'Invoice Sync' })
  t.match(await ada('DELETE', '/organizations/1?transfer_to=User:1'), {
    status: 409,
    json: { code: 'DESCRIPTIVE_NAME_TAKEN' }
  })
  await made.call('PATCH', '/apps/70e2d94bc6a18f', { descriptive_name: 'Weather Alerts' })
  t.equal((await made.call('GET', '/apps/ba6811fb3e073d')).json.owner_id, 1)
  t.equal((await ada('DELETE', '/organizations/1?transfer_to=User:1')).status, 204)
  t.match((await ada('GET', '/apps/ba6811fb3e073d')).json, { owner_type: 'User', owner_id: 1 })
  t.equal((await made.call('GET', '/organizations/1')).status, 404)
  t.match((await made.call('GET', '/audits?action=app.transfer&limit=1')).json, [
    { actor: { kind: 'user', id: '1' }, changes: { owner_type: { from: 'Organization', to: 'User' } } }
  ])
  const {
    json: { id }
  } = await chiara('POST', '/organizations', { name: 'Empty', billing_email: 'e@example.com' })
  t.equal((await chiara('DELETE', `/organizations/${id}`)).status, 204)
  t.equal((await made.call('DELETE', '/organizations/2?transfer_to=Organization:3')).status, 204)
})

test('admins and client keys can delete an organization along with its apps if the request asks for it', async t => {
  const made = await world(t)
  const [ada, ben, dmitri] = [await signIn(made, 'ada'), await signIn(made, 'ben'), await signIn(made, 'dmitri')]
  const { json: key } = await made.call('POST', '/client_keys', { name: 'k', scopes: ['organizations:write'] })
  const byKey: World['call'] = async (method, url) =>
    await made.call(method, url, undefined, { authorization: `Bearer ${key.key_access_token}` })
  const url = '/organizations/1?apps=delete'
  t.match(await ben('DELETE', url), { status: 403, json: { code: 'FORBIDDEN' } }, 'a member')
  t.equal((await dmitri('DELETE', url)).status, 404, 'a global admin does not see the organization')
  t.match(await byKey('DELETE', url), { status: 403, json: { code: 'INSUFFICIENT_SCOPE', detail: /apps:write/ } })
  t.match(await ada('DELETE', `${url}&transfer_to=User:1`), {
    status: 422,
    json: { errors: [/transfer_to and apps cannot be sent together/] }
  })
  t.equal((await made.call('GET', '/apps/ba6811fb3e073d')).status, 200)
  t.equal((await ada('DELETE', url)).status, 204)
  t.equal((await made.call('GET', '/apps/ba6811fb3e073d')).status, 404)
  t.match((await made.call('GET', '/audits?limit=2')).json, [
    { action: 'organization.delete', changes: { apps: { from: 5, to: 0 }, users: { from: 3, to: 0 } } },
    {
      action: 'app.delete',
      changes: { owner_type: { from: 'Organization', to: null }, owner_id: { from: 1, to: null } }
    }
  ])
  t.equal(
    (await made.call('GET', '/apps/70e2d94bc6a18f')).status,
    200,
    "members' apps do not belong to the organization"
  )
  t.equal((await made.call('DELETE', '/organizations/2?apps=delete')).status, 204)
  t.equal((await made.call('GET', '/apps?include_deleted=true')).json.length, 24 - 5 - 6)
})
