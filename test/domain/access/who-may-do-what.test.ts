import { test } from 'tap'
import type { Permit } from '../../../domain/access/rules.ts'
import { Database } from '../../../db/sqlite/driver.ts'
import { world } from '../../helper.ts'
import type { World } from '../../helper.ts'
import { signIn } from '../../routes/user.ts'

const [ADA, BEN, CHIARA, DMITRI] = [1, 2, 3, 4]
const NORTHWIND = 1

type Action = Permit | 'administer'

/** A request for each thing that may be done to an app. */
const REQUESTS: Record<Action, (app: string, callerId: number) => [method: string, url: string, body?: object]> = {
  read: app => ['GET', `/apps/${app}`],
  update: app => ['PATCH', `/apps/${app}`, { panels: { columns: 2 } }],
  destroy: app => ['DELETE', `/apps/${app}`],
  transfer: (app, callerId) => ['PUT', `/apps/${app}/transfer/User/${callerId}`],
  grant: app => ['POST', `/apps/${app}/permission/read/users/${ADA}`],
  revoke: app => ['DELETE', `/apps/${app}/permission/read/users/${ADA}`],
  administer: app => ['GET', `/apps/${app}/audits`]
}

const ACTIONS = Object.keys(REQUESTS) as Action[]

interface Row {
  who: string
  /** What sends the request, and the id of its user. */
  by: readonly [call: World['call'], userId: number]
  owner: readonly [type: 'User' | 'Organization', id: number]
  granted?: readonly Permit[]
  isPublic?: boolean
  may: string
  /** The status for what the row does not list. */
  otherwise: 401 | 403 | 404
}

const EVERYTHING = 'read update destroy transfer grant revoke administer'

test('who may do what to an app, by every principal, role and grant', async t => {
  const made = await world(t)
  const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
  t.teardown(() => {
    db.close()
  })

  const [ada, ben, chiara, dmitri] = [
    [await signIn(made, 'ada'), ADA],
    [await signIn(made, 'ben'), BEN],
    [await signIn(made, 'chiara'), CHIARA],
    [await signIn(made, 'dmitri'), DMITRI]
  ] as const
  const withKey = async (...scopes: string[]): Promise<Row['by']> => {
    const { json } = await made.call('POST', '/client_keys', { name: scopes.join(' '), scopes })
    return [
      async (method, url, body) =>
        await made.call(method, url, body, { authorization: `Bearer ${json.key_access_token}` }),
      BEN
    ]
  }
  const nobody: World['call'] = async (method, url, body) => {
    const reply = await made.fastify.inject({
      method: method as 'GET',
      url,
      ...(body === undefined ? {} : { payload: body as object })
    })
    return { status: reply.statusCode, headers: reply.headers, text: reply.payload, json: reply.json() }
  }

  const adas = ['User', ADA] as const
  const northwinds = ['Organization', NORTHWIND] as const
  const rows: Row[] = [
    { who: 'the owner', by: ada, owner: adas, may: EVERYTHING, otherwise: 404 },
    { who: 'an admin of the organization that owns it', by: ada, owner: northwinds, may: EVERYTHING, otherwise: 404 },
    { who: 'a member of it', by: ben, owner: northwinds, may: 'read', otherwise: 403 },
    { who: 'a guest of it', by: chiara, owner: northwinds, may: '', otherwise: 404 },
    { who: 'a user who was granted read', by: ben, owner: adas, granted: ['read'], may: 'read', otherwise: 403 },
    {
      who: 'a user who was granted update',
      by: ben,
      owner: adas,
      granted: ['update'],
      may: 'read update',
      otherwise: 403
    },
    {
      who: 'a user who was granted destroy',
      by: ben,
      owner: adas,
      granted: ['destroy'],
      may: 'read destroy',
      otherwise: 403
    },
    {
      who: 'a user who was granted transfer',
      by: ben,
      owner: adas,
      granted: ['transfer'],
      may: 'read transfer',
      otherwise: 403
    },
    {
      who: 'a user who was granted grant',
      by: ben,
      owner: adas,
      granted: ['grant'],
      may: 'read grant',
      otherwise: 403
    },
    {
      who: 'a user who was granted revoke',
      by: ben,
      owner: adas,
      granted: ['revoke'],
      may: 'read revoke',
      otherwise: 403
    },
    {
      who: 'a user who was granted all six',
      by: ben,
      owner: adas,
      granted: ['read', 'update', 'destroy', 'transfer', 'grant', 'revoke'],
      may: 'read update destroy transfer grant revoke',
      otherwise: 403
    },
    {
      who: 'a member who was granted destroy',
      by: ben,
      owner: northwinds,
      granted: ['destroy'],
      may: 'read destroy',
      otherwise: 403
    },
    {
      who: 'a guest who was granted update',
      by: chiara,
      owner: northwinds,
      granted: ['update'],
      may: 'read update',
      otherwise: 403
    },
    { who: 'a stranger', by: ben, owner: adas, may: '', otherwise: 404 },
    { who: 'a stranger, of a public app', by: ben, owner: adas, isPublic: true, may: 'read', otherwise: 403 },
    { who: 'a global admin', by: dmitri, owner: adas, may: '', otherwise: 404 },
    {
      who: 'a global admin, of a public app',
      by: dmitri,
      owner: northwinds,
      isPublic: true,
      may: 'read',
      otherwise: 403
    },
    { who: 'an unscoped client key', by: [made.call, BEN], owner: adas, may: EVERYTHING, otherwise: 403 },
    { who: 'a client key with apps:read', by: await withKey('apps:read'), owner: adas, may: 'read', otherwise: 403 },
    {
      who: 'a client key with apps:write',
      by: await withKey('apps:write'),
      owner: northwinds,
      may: 'update destroy transfer grant revoke',
      otherwise: 403
    },
    {
      who: 'a client key with audits:read',
      by: await withKey('audits:read'),
      owner: northwinds,
      may: 'administer',
      otherwise: 403
    },
    {
      who: 'a client key with other scopes',
      by: await withKey('users:write', 'organizations:write', 'client_keys:read'),
      owner: adas,
      isPublic: true,
      may: '',
      otherwise: 403
    },
    { who: 'nobody', by: [nobody, BEN], owner: adas, isPublic: true, may: '', otherwise: 401 }
  ]

  for (const {
    who,
    by: [call, userId],
    owner: [type, id],
    granted = [],
    isPublic = false,
    may,
    otherwise
  } of rows) {
    for (const action of ACTIONS) {
      const { json: app } = await made.call('POST', '/apps', {
        descriptive_name: `${who}: ${action}`,
        owner_type: type,
        owner_id: id
      })
      for (const permit of granted) await made.call('POST', `/apps/${app.id}/permission/${permit}/users/${userId}`)
      if (isPublic) db.prepare("update apps set readable_by = 'public' where id = ?").run(app.id)
      const isAllowed = may.split(' ').includes(action)
      const { status } = await call(...REQUESTS[action](app.name, userId))
      t.equal(status, isAllowed ? (action === 'destroy' ? 204 : 200) : otherwise, `${who}: ${action}`)
    }
  }
})
