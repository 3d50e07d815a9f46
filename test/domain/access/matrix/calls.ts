import type { AppAction } from '../../../../domain/access/rules.ts'
import { SAMPLE_PASSWORD } from '../../../helper.ts'
import type { Scope } from '../../../../domain/keys/policy/scopes.ts'
import { ADA, BEN, BROAD_OWNER, CHIARA, DMITRI, NARROW_OWNER, NORTHWIND } from './senders.ts'
import type { KeySender, Sender, Targets, UserSender } from './senders.ts'

/** A request, and the status code that each sender gets. */
export interface Call {
  /** A label that distinguishes the request from other requests for the same operation. */
  readonly name?: string
  readonly key: (key: KeySender) => number
  readonly user: (user: UserSender) => number
  /** The status code for unknown senders. 401 by default. */
  readonly unknown?: number
  /** The changes that the request may cause, in the format of `RowComparison`. */
  readonly changes?: readonly string[]
  readonly query?: (sender: Sender) => string
  /** Returns fields that are added to the body. Required fields have the values of their examples by default. */
  readonly body?: (sender: Sender) => object
  /** Returns values of path parameters, which override those that `parameterOf` returns. */
  readonly path?: (sender: Sender, targets: Targets) => Readonly<Record<string, string | number>>
}

type Statuses = Pick<Call, 'key' | 'user'>

const has = (key: KeySender, scope: Scope): boolean => key.scopes.includes('*') || key.scopes.includes(scope)

// The status code that a key gets: `ok`, or the status code of a refusal

const withScopes =
  (...scopes: Scope[]) =>
  (ok: number): Call['key'] =>
  key =>
    scopes.every(scope => has(key, scope)) ? ok : 403

/** Only unlimited keys may create administrators and set passwords or e-mail addresses. */
const unlimited =
  (scope: Scope) =>
  (ok: number): Call['key'] =>
  key =>
    key.isUnlimited && has(key, scope) ? ok : 403

const anyKey =
  (ok: number): Call['key'] =>
  () =>
    ok

const noKey = (): Call['key'] => () => 403

// The status code that a user gets

const anyUser =
  (ok: number): Call['user'] =>
  () =>
    ok

const noUser = (): Call['user'] => () => 403

const administrators =
  (ok: number): Call['user'] =>
  ({ isAdmin }) =>
    isAdmin ? ok : 403

const ada =
  (ok: number, otherwise = 403): Call['user'] =>
  ({ userId }) =>
    userId === ADA ? ok : otherwise

const adaOrAdministrators =
  (ok: number): Call['user'] =>
  user =>
    user.userId === ADA || user.isAdmin ? ok : 403

const ofOrganization =
  (mayMembers: boolean) =>
  (ok: number): Call['user'] =>
  ({ role }) => {
    if (role === null) return 404
    return role === 'admin' || mayMembers ? ok : 403
  }

const seeing = ofOrganization(true)
const administering = ofOrganization(false)

/** Allows users who may perform all of these actions on the app. */
const allowed =
  (...actions: AppAction[]) =>
  (ok: number): Call['user'] =>
  ({ may }) => {
    if (actions.every(action => may.includes(action))) return ok
    return may.includes('read') ? 403 : 404
  }

/** Refuses all users. For users who may not read the app, it doesn't exist. */
const refused: Call['user'] = ({ may }) => (may.includes('read') ? 403 : 404)

const granting: Call['user'] = ({ may }) => {
  if (may.includes('administer') || may.includes('grant') || may.includes('revoke')) return 200
  return may.includes('read') ? 403 : 404
}

const by = (ok: number, key: (ok: number) => Call['key'], user: (ok: number) => Call['user']): Statuses => ({
  key: key(ok),
  user: user(ok)
})

const open = (status: number): Pick<Call, 'key' | 'user' | 'unknown'> => ({
  unknown: status,
  key: () => status,
  user: () => status
})

/** Returns the user who sends the request, or Ben if the sender is a key. */
const self = (sender: Sender): number => (sender.kind === 'user' ? sender.userId : BEN)
const emailOf = (sender: Sender): string => (sender.kind === 'user' ? sender.email : 'ben@example.com')

const [readApps, writeApps] = [withScopes('apps:read'), withScopes('apps:write')]
const [readKeys, writeKeys] = [withScopes('client_keys:read'), withScopes('client_keys:write')]
const [readUsers, writeUsers] = [withScopes('users:read'), withScopes('users:write')]
const [readOrganizations, writeOrganizations] = [withScopes('organizations:read'), withScopes('organizations:write')]
const readAudits = withScopes('audits:read')
const [readServices, writeServices] = [withScopes('services:read'), withScopes('services:write')]
const removeUsers = withScopes('users:write', 'apps:write')
const removeOrganizations = withScopes('organizations:write', 'apps:write')

/** Allows keys that may give the scope users:read to keys that never expire. */
const givesUsersRead =
  (ok: number): Call['key'] =>
  key =>
    writeKeys(ok)(key) === ok && has(key, 'users:read') && !key.expires ? ok : 403

const NEW_APP = ['apps +']
const RENAMED = ['apps.descriptive_name']
const TRANSFERRED = ['apps.organization_id', 'apps.user_id']
const DELETED_APPS = ['apps -', 'tags -']
const updates: Call[] = [
  { ...by(200, writeApps, allowed('update')), body: () => ({ descriptive_name: 'Marmalade Now' }), changes: RENAMED }
]
const organizationUpdates: Call[] = [
  { ...by(200, writeOrganizations, administering), body: () => ({ name: 'Now' }), changes: ['organizations.name'] }
]
const profileUpdates: Call[] = [
  { ...by(200, noKey, anyUser), body: () => ({ name: 'Another' }), changes: ['own users.name'] }
]
const userUpdates: Call[] = [
  {
    name: 'the name',
    ...by(200, writeUsers, administrators),
    body: () => ({ name: 'Another' }),
    changes: ['users.name']
  },
  {
    name: 'the password',
    ...by(200, unlimited('users:write'), noUser),
    body: () => ({ password: 'another green kettle' }),
    changes: ['users.password_hash', 'sessions -']
  },
  {
    name: 'the e-mail address',
    ...by(200, unlimited('users:write'), administrators),
    body: () => ({ email: 'moved@example.com' }),
    changes: ['users.email', 'sessions -']
  },
  {
    name: 'the role',
    ...by(200, unlimited('users:write'), administrators),
    body: () => ({ role: 'admin' }),
    changes: ['users.role']
  },
  {
    name: 'the lock',
    ...by(200, writeUsers, administrators),
    body: () => ({ account_locked: true }),
    changes: ['users.account_locked', 'sessions -']
  },
  {
    name: 'the requester as an administrator',
    ...by(200, unlimited('users:write'), administrators),
    path: sender => ({ id: self(sender) }),
    body: () => ({ role: 'admin' }),
    changes: ['users.role']
  }
]
const DELETED_USER = ['users -', 'sessions -', 'user_places -', 'memberships -']
const TAG = { context: 'stage', name: 'first' }
const NARROW = { path: (_: Sender, { narrowKey }: Targets) => ({ id: narrowKey }) }
const NEW_KEY = ['client_keys +', 'client_key_tokens +']
const NEW_TOKEN = ['client_key_tokens +', 'client_key_tokens.expires_at']

/** The requests for each operation of the API. */
export const CALLS: Readonly<Record<string, readonly Call[]>> = {
  'GET /up': [open(200)],
  'GET /ready': [open(200)],
  'POST /auth/sign_in': [
    {
      ...open(200),
      body: () => ({ email: 'ben@example.com', password: SAMPLE_PASSWORD }),
      changes: ['sessions +', 'user_places +']
    }
  ],
  'POST /auth': [
    {
      name: 'with a new address',
      ...open(201),
      body: () => ({ email: 'new@example.com' }),
      changes: ['users +', 'sessions +', 'user_places +']
    },
    { name: 'with the address of another user', ...open(409), body: () => ({ email: 'Ada@example.com' }) }
  ],

  'GET /apps': [by(200, readApps, anyUser)],
  'POST /apps': [
    {
      name: 'for Ada',
      ...by(201, writeApps, ada),
      body: () => ({ descriptive_name: 'New', owner_type: 'User', owner_id: ADA }),
      changes: NEW_APP
    },
    {
      name: 'for the organization',
      ...by(
        201,
        writeApps,
        ok =>
          ({ role }) =>
            role === 'admin' ? ok : 403
      ),
      body: () => ({ descriptive_name: 'New', owner_type: 'Organization', owner_id: NORTHWIND }),
      changes: NEW_APP
    },
    {
      name: 'for the requester',
      key: writeApps(422),
      user: anyUser(201),
      body: () => ({ descriptive_name: 'New' }),
      changes: NEW_APP
    }
  ],
  'GET /apps/name_suggestion': [by(200, readApps, anyUser)],
  'GET /apps/{name}': [by(200, readApps, allowed('read'))],
  'PUT /apps/{name}': updates,
  'PATCH /apps/{name}': updates,
  'DELETE /apps/{name}': [{ ...by(204, writeApps, allowed('destroy')), changes: ['apps.discarded_at'] }],
  'POST /apps/{name}/copy': [
    {
      ...by(201, writeApps, allowed('administer')),
      body: () => ({ new_app_descriptive_name: 'Copy' }),
      changes: ['apps +', 'tags +']
    }
  ],
  'GET /apps/{id}/permissions': [{ key: readApps(200), user: granting }],
  'POST /apps/{id}/permission/{permit}/users/{user_id}': (
    ['read', 'update', 'transfer', 'grant', 'revoke'] as const
  ).map(permit => ({
    name: permit,
    ...by(200, writeApps, allowed('grant', permit)),
    path: () => ({ permit, user_id: BEN }),
    changes: ['grants +']
  })),
  'DELETE /apps/{id}/permission/{permit}/users/{user_id}': [
    {
      ...by(200, writeApps, allowed('revoke')),
      path: () => ({ permit: 'read', user_id: CHIARA }),
      changes: ['grants -']
    }
  ],
  'POST /apps/{id}/permissions/users/{user_id}': [
    {
      ...by(200, writeApps, allowed('grant', 'update', 'destroy', 'transfer', 'revoke')),
      path: () => ({ user_id: BEN }),
      changes: ['grants +']
    }
  ],
  'DELETE /apps/{id}/permissions/users/{user_id}': [
    { ...by(200, writeApps, allowed('revoke')), path: () => ({ user_id: CHIARA }), changes: ['grants -'] }
  ],
  'PUT /apps/{id}/transfer/{owner_type}/{owner_id}': [
    {
      name: 'to the requester',
      ...by(200, writeApps, allowed('transfer')),
      path: sender => ({ owner_type: 'users', owner_id: self(sender) }),
      changes: TRANSFERRED
    },
    {
      name: 'to another user',
      key: writeApps(200),
      user: refused,
      path: () => ({ owner_type: 'users', owner_id: CHIARA }),
      changes: TRANSFERRED
    },
    {
      name: 'to an organization of other users',
      key: writeApps(200),
      user: refused,
      path: () => ({ owner_type: 'organizations', owner_id: 3 }),
      changes: TRANSFERRED
    }
  ],
  'GET /apps/{id}/audits': [by(200, readAudits, allowed('administer'))],
  'GET /apps/{id}/trail': [by(200, readAudits, allowed('administer'))],
  'POST /apps/{name}/tags': [
    { ...by(201, writeApps, allowed('update')), body: () => ({ context: 'new', name: 'tag' }), changes: ['tags +'] }
  ],
  'DELETE /apps/{name}/tags': [{ ...by(204, writeApps, allowed('update')), body: () => TAG, changes: ['tags -'] }],

  'GET /audits': [by(200, readAudits, noUser)],

  'DELETE /auth/sign_out': [{ ...by(204, noKey, anyUser), unknown: 404, changes: ['own sessions -'] }],
  'GET /profile': [by(200, noKey, anyUser)],
  'PUT /profile': profileUpdates,
  'PATCH /profile': profileUpdates,
  'PUT /profile/password': [
    {
      ...by(204, noKey, anyUser),
      body: () => ({ current_password: SAMPLE_PASSWORD, password: 'another green kettle' }),
      changes: ['own users.password_hash', 'own sessions -']
    }
  ],
  'GET /profile/sessions': [by(200, noKey, anyUser)],
  'DELETE /profile/sessions/{id}': [{ key: noKey(), user: ada(204, 404), changes: ['own sessions -'] }],

  'GET /client_keys': [by(200, readKeys, administrators)],
  'POST /client_keys/inspect': [by(200, readKeys, administrators)],
  'POST /introspect': [by(200, withScopes('tokens:introspect'), noUser)],
  'POST /introspect/batch': [by(200, withScopes('tokens:introspect'), noUser)],
  'GET /client_keys/me': [by(200, anyKey, noUser)],
  'GET /client_keys/me/usage': [by(200, anyKey, noUser)],
  'GET /client_keys/{id}': [by(200, readKeys, administrators)],
  'GET /client_keys/{id}/usage': [by(200, readKeys, administrators)],
  'GET /nodes': [by(200, readKeys, administrators)],
  'GET /receipts/{id}': [by(200, readKeys, administrators)],
  'POST /client_keys': [
    {
      name: 'unscoped',
      ...by(201, unlimited('client_keys:write'), noUser),
      body: () => ({ name: 'new' }),
      changes: NEW_KEY
    },
    {
      name: 'with apps:read',
      ...by(201, unlimited('client_keys:write'), noUser),
      body: () => ({ name: 'new', scopes: ['apps:read'] }),
      changes: NEW_KEY
    },
    {
      name: 'with a scope of a service',
      ...by(201, unlimited('client_keys:write'), noUser),
      body: () => ({ name: 'new', scopes: ['orders:read'] }),
      changes: NEW_KEY
    },
    {
      name: 'with a scope that does not exist',
      ...by(422, unlimited('client_keys:write'), noUser),
      body: () => ({ name: 'new', scopes: ['orders:unknown'] })
    },
    {
      name: 'with users:read',
      ...by(201, givesUsersRead, administrators),
      body: () => ({ name: 'new', scopes: ['users:read'] }),
      changes: NEW_KEY
    }
  ],
  'PATCH /client_keys/{id}': [
    {
      ...by(200, unlimited('client_keys:write'), noUser),
      body: () => ({ description: 'mine' }),
      changes: ['client_keys.description']
    },
    {
      name: 'a key with few permissions',
      ...by(200, givesUsersRead, administrators),
      ...NARROW,
      body: () => ({ description: 'mine' }),
      changes: ['client_keys.description']
    },
    {
      name: 'a key with few permissions, which gets more',
      ...by(200, unlimited('client_keys:write'), noUser),
      ...NARROW,
      body: () => ({ scopes: ['*'] }),
      changes: ['client_keys.scopes']
    }
  ],
  'POST /client_keys/{id}/rotate': [
    { ...by(200, unlimited('client_keys:write'), noUser), changes: NEW_TOKEN },
    { name: 'a key with few permissions', ...by(200, givesUsersRead, administrators), ...NARROW, changes: NEW_TOKEN }
  ],
  'GET /client_keys/usage': [{ ...by(200, readKeys, administrators), query: () => `owner=${BROAD_OWNER}` }],
  'POST /client_keys/revoke': [
    {
      name: 'of an owner with an unlimited key',
      ...by(200, unlimited('client_keys:write'), noUser),
      body: () => ({ owner: BROAD_OWNER }),
      changes: ['client_keys.revoked_at']
    },
    {
      name: 'of an owner with a key with few permissions',
      ...by(200, givesUsersRead, administrators),
      body: () => ({ owner: NARROW_OWNER }),
      changes: ['client_keys.revoked_at']
    },
    {
      name: 'of an owner without keys',
      ...by(200, writeKeys, administrators),
      body: () => ({ owner: 'customer:nobody' })
    }
  ],
  'POST /client_keys/{id}/revoke': [
    { ...by(200, unlimited('client_keys:write'), noUser), changes: ['client_keys.revoked_at'] },
    {
      name: 'a key with few permissions',
      ...by(200, givesUsersRead, administrators),
      ...NARROW,
      changes: ['client_keys.revoked_at']
    }
  ],

  'GET /services': [by(200, readServices, noUser)],
  'GET /services/{name}': [by(200, readServices, noUser)],
  'POST /services': [{ ...by(201, writeServices, noUser), body: () => ({ name: 'ledger' }), changes: ['services +'] }],
  'PATCH /services/{name}': [
    {
      ...by(200, writeServices, noUser),
      body: () => ({ description: 'Other' }),
      changes: ['services.description']
    },
    { name: 'a scope that a key has', ...by(409, writeServices, noUser), body: () => ({ scopes: [] }) },
    {
      name: 'a scope that is taken from a key',
      ...by(200, writeServices, noUser),
      body: () => ({ scopes: [] }),
      query: () => 'force=true',
      changes: ['client_keys.scopes', 'services.scopes']
    }
  ],
  'DELETE /services/{name}': [
    { name: 'with scopes that a key has', ...by(409, writeServices, noUser) },
    {
      name: 'with scopes that are taken from a key',
      ...by(200, writeServices, noUser),
      query: () => 'force=true',
      changes: ['client_keys.scopes', 'services -']
    }
  ],

  'GET /organizations': [by(200, readOrganizations, anyUser)],
  'POST /organizations': [
    { ...by(201, writeOrganizations, anyUser), changes: ['organizations +', 'own memberships +'] }
  ],
  'GET /organizations/{id}': [by(200, readOrganizations, seeing)],
  'PUT /organizations/{id}': organizationUpdates,
  'PATCH /organizations/{id}': organizationUpdates,
  'DELETE /organizations/{id}': [
    { name: 'without a decision about its apps', ...by(409, writeOrganizations, administering) },
    {
      name: 'with its apps',
      ...by(204, removeOrganizations, administering),
      query: () => 'apps=delete',
      changes: ['organizations -', 'memberships -', 'own memberships -', 'grants -', ...DELETED_APPS]
    },
    {
      name: 'its apps to the requester',
      ...by(204, removeOrganizations, administering),
      query: sender => `transfer_to=User:${self(sender)}`,
      changes: ['organizations -', 'memberships -', 'own memberships -', ...TRANSFERRED]
    }
  ],
  'PUT /organizations/{id}/users/{user_id}': [
    {
      name: 'the requester as its admin',
      ...by(200, writeOrganizations, administering),
      path: sender => ({ user_id: self(sender) }),
      body: sender => ({ role: 'admin', email: emailOf(sender) }),
      changes: ['memberships.role']
    },
    {
      name: 'its admin as a guest',
      ...by(200, writeOrganizations, administering),
      path: () => ({ user_id: ADA }),
      body: () => ({ role: 'guest' }),
      changes: ['memberships.role', 'own memberships.role']
    },
    {
      name: 'a user with a known address',
      ...by(200, writeOrganizations, administering),
      path: () => ({ user_id: DMITRI }),
      body: () => ({ role: 'member', email: 'dmitri@example.com' }),
      changes: ['memberships +']
    },
    {
      name: 'a user with an unknown address',
      key: writeOrganizations(200),
      user: administering(404),
      path: () => ({ user_id: DMITRI }),
      body: () => ({ role: 'member' }),
      changes: ['memberships +']
    }
  ],
  'DELETE /organizations/{id}/users/{user_id}': [
    {
      ...by(204, writeOrganizations, administering),
      path: () => ({ user_id: ADA }),
      changes: ['memberships -', 'own memberships -']
    }
  ],
  'DELETE /organizations/{id}/delete_org_role': [
    {
      ...by(204, writeOrganizations, administering),
      query: () => `user_id=${ADA}`,
      changes: ['memberships -', 'own memberships -']
    }
  ],
  'GET /organizations/{id}/audits': [by(200, readAudits, administering)],
  'GET /organizations/{id}/trail': [by(200, readAudits, administering)],

  'GET /users': [by(200, readUsers, administrators)],
  'POST /users': [
    {
      name: 'a member',
      ...by(201, writeUsers, administrators),
      body: () => ({ email: 'new@example.com' }),
      changes: ['users +']
    },
    {
      name: 'an administrator',
      ...by(201, unlimited('users:write'), administrators),
      body: () => ({ email: 'new@example.com', role: 'admin' }),
      changes: ['users +']
    }
  ],
  'GET /users/{id}': [by(200, readUsers, administrators)],
  'PUT /users/{id}': userUpdates.slice(0, 3),
  'PATCH /users/{id}': userUpdates,
  'DELETE /users/{id}': [
    { name: 'without a decision about the apps', ...by(409, writeUsers, administrators) },
    {
      name: 'with the apps',
      ...by(204, removeUsers, administrators),
      query: () => 'apps=delete',
      changes: [...DELETED_USER, 'grants -', ...DELETED_APPS]
    },
    {
      name: 'the apps to the requester',
      ...by(204, removeUsers, noUser),
      query: sender => `transfer_to=User:${self(sender)}`,
      changes: [...DELETED_USER, 'apps.user_id']
    }
  ],
  'GET /users/{id}/permissions': [by(200, readUsers, adaOrAdministrators)],
  'GET /users/{id}/grants': [by(200, readUsers, adaOrAdministrators)]
}

/** Returns the value of a path parameter, which refers to one of Ada's resources or to a client key of the operator. */
export const parameterOf = (route: string, name: string, { app }: Sender, targets: Targets): string => {
  if (route.includes(' /apps/')) {
    if (name === 'name') return app
    if (name === 'id') return String(targets.appIds[app])
  }
  if (route.includes(' /services/')) return 'orders'
  if (name === 'id') {
    if (route.includes(' /client_keys/')) return targets.broadKey
    if (route.includes(' /profile/sessions/')) return targets.adasSession
    if (route.includes(' /organizations/')) return String(NORTHWIND)
    if (route.includes(' /users/')) return String(ADA)
    if (route.includes(' /receipts/')) return targets.receipt
  }
  throw new Error(`the path parameter ${name} of ${route} has no value`)
}
