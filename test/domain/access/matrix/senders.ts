import type { Test } from 'tap'
import { contextOf } from '../../../../domain/access/principal.ts'
import type { AppAction, OrganizationRole, Permit } from '../../../../domain/access/rules.ts'
import { SCOPES } from '../../../../domain/keys/policy/scopes.ts'
import type { Scope } from '../../../../domain/keys/policy/scopes.ts'
import type { PasswordHasher } from '../../../../domain/users/passwords.ts'
import type { User } from '../../../../domain/users/user.ts'
import { required, operator, SAMPLE_PASSWORD, world } from '../../../helper.ts'
import type { World } from '../../../helper.ts'
import { connect } from './rows.ts'
import type { Db } from './rows.ts'
import { sessionHeaders } from '../../../../http/session-headers.ts'

/** The user to whom the requests refer. She owns apps, and is an admin of an organization. */
export const ADA = 1
/** Other users in the sample data, who don't send requests. */
export const [BEN, CHIARA, DMITRI] = [2, 3, 4] as const
export const NORTHWIND = 1

/** The owners of an unlimited client key, and of one that an administrator could have issued. */
export const [BROAD_OWNER, NARROW_OWNER] = ['customer:broad', 'customer:narrow'] as const

export const ADAS_APP = '70e2d94bc6a18f'
export const NORTHWINDS_APP = 'ba6811fb3e073d'
export const PUBLIC_APP = 'b53f8a16d7e0c9'

/** A word in each app's panels. A response that contains it reveals the app. */
export const MARKERS: Readonly<Record<string, string>> = {
  [ADAS_APP]: 'marmalade',
  [NORTHWINDS_APP]: 'quince',
  [PUBLIC_APP]: 'rhubarb'
}

interface Common {
  readonly who: string
  readonly headers: Readonly<Record<string, string>>
  /** The name of the app to which the requests refer. */
  readonly app: string
  /**
   * Set for a sender who differs from another one only in the actions that they may perform on the app. Such a sender
   * sends only requests for apps.
   */
  readonly onlyApps?: true | undefined
}

/** A sender with a refused credential, or without a credential. */
export interface UnknownSender extends Common {
  readonly kind: 'unknown'
}

export interface KeySender extends Common {
  readonly kind: 'key'
  readonly id: string
  readonly scopes: readonly string[]
  readonly isUnlimited: boolean
  readonly expires: boolean
}

export interface UserSender extends Common {
  readonly kind: 'user'
  readonly id: string
  readonly userId: number
  readonly email: string
  readonly isAdmin: boolean
  /** The actions that the user may perform on the app. */
  readonly may: readonly AppAction[]
  /** The user's role in Ada's organization. */
  readonly role: OrganizationRole | null
}

export type Sender = UnknownSender | KeySender | UserSender

/** The resources to which the requests refer, in addition to the apps. */
export interface Targets {
  readonly appIds: Readonly<Record<string, number>>
  /** An unlimited client key, and one that an administrator could have issued. */
  readonly broadKey: string
  readonly narrowKey: string
  readonly adasSession: string
  /** The id of a receipt for a change to a key. */
  readonly receipt: string
}

/** A service with all senders, and all resources to which their requests refer. */
export interface Fixture {
  readonly made: World
  readonly db: Db
  readonly senders: readonly Sender[]
  readonly targets: Targets
}

/** The beginning of every password hash. */
export const HASH_PREFIX = '$hashed'

const ALL: readonly Permit[] = ['read', 'update', 'destroy', 'transfer', 'grant', 'revoke']
const EVERYTHING: readonly AppAction[] = [...ALL, 'administer']

/** A user's description in the following lists. */
interface UserDescription {
  readonly who: string
  readonly app?: string
  readonly role?: OrganizationRole
  readonly granted?: readonly Permit[]
  readonly isAdmin?: true
  readonly onlyApps?: true
  readonly may: readonly AppAction[]
}

const UNRELATED_USERS: readonly UserDescription[] = [
  { who: 'an unrelated user', may: [] },
  { who: 'an unrelated user, about an app of the organization', app: NORTHWINDS_APP, onlyApps: true, may: [] },
  { who: 'an unrelated user, about a public app', app: PUBLIC_APP, onlyApps: true, may: ['read'] },
  { who: 'a global admin who owns nothing', isAdmin: true, may: [] },
  {
    who: 'a global admin, about an app of the organization',
    app: NORTHWINDS_APP,
    isAdmin: true,
    onlyApps: true,
    may: []
  },
  { who: 'a global admin, about a public app', app: PUBLIC_APP, isAdmin: true, onlyApps: true, may: ['read'] }
]

const MEMBERS: readonly UserDescription[] = [
  { who: 'an admin of the organization', app: NORTHWINDS_APP, role: 'admin', may: EVERYTHING },
  { who: 'an admin of the organization, about an app of another admin', role: 'admin', onlyApps: true, may: [] },
  { who: 'a member', app: NORTHWINDS_APP, role: 'member', may: ['read'] },
  { who: 'a member, about an app of an admin', role: 'member', onlyApps: true, may: [] },
  { who: 'a guest', app: NORTHWINDS_APP, role: 'guest', may: [] }
]

/** Grants apply only to apps. The user with all grants tests that grants allow nothing else. */
const USERS_WITH_GRANTS: readonly UserDescription[] = [
  ...ALL.map((permit): UserDescription => {
    const granted = [permit]
    return { who: `a user with the grant ${permit}`, granted, onlyApps: true, may: ['read', permit] }
  }),
  {
    who: 'a user with the grants grant and transfer',
    granted: ['grant', 'transfer'],
    onlyApps: true,
    may: ['read', 'grant', 'transfer']
  },
  {
    who: 'a member with the grant destroy',
    app: NORTHWINDS_APP,
    role: 'member',
    granted: ['destroy'],
    onlyApps: true,
    may: ['read', 'destroy']
  },
  {
    who: 'a guest with the grant update',
    app: NORTHWINDS_APP,
    role: 'guest',
    granted: ['update'],
    onlyApps: true,
    may: ['read', 'update']
  },
  { who: 'a user with all six grants', granted: ALL, may: ALL }
]

const quickHasher: Pick<PasswordHasher, 'hash' | 'verify'> = {
  hash: async password => `${HASH_PREFIX} ${password}`,
  verify: async (hash, password) => hash === (await quickHasher.hash(password))
}

/** Creates the fixture. `env` contains environment variables. Without a `DATABASE_URL`, uses a new SQLite database. */
export const createFixture = async (t: Test, env: Record<string, string> = {}): Promise<Fixture> => {
  const made = await world(t, env)
  const db = await connect(t, made.env.DATABASE_URL)
  const { storage, passwords } = made.fastify
  // Computing real hashes would take most of the test's time.
  Object.assign(passwords, quickHasher)
  for (const [name, marker] of Object.entries(MARKERS)) {
    await storage.write(async ({ apps }) => {
      const { id } = required((await apps.find(name)) ?? undefined, name)
      await apps.update(id, { panels: JSON.stringify({ marker }) }, new Date())
      await apps.insertTag(id, { context: 'stage', name: 'first' })
    })
  }
  await db.execute(`update apps set readable_by = 'public' where name = '${PUBLIC_APP}'`)
  await db.execute(`update users set password_hash = '${await quickHasher.hash(SAMPLE_PASSWORD)}'`)
  const users = await createUsers(made)
  const admin = users.find(({ isAdmin }) => isAdmin)
  const keys = await createKeys(made, required(admin, 'an administrator'))
  const unknown = await createUnknown(made, db)
  const session = await createSession(made, ADA)
  const broadKey = await made.fastify.clientKeys.issue({ name: 'broad', owner: BROAD_OWNER }, operator)
  const narrowKey = await made.fastify.clientKeys.issue(
    { name: 'narrow', owner: NARROW_OWNER, scopes: ['users:read'] },
    operator
  )
  const scopes = [{ name: 'orders:read', description: null }]
  await made.fastify.serviceRegistry.create({ name: 'orders', scopes }, operator)
  await made.fastify.clientKeys.issue({ name: 'for a service', scopes: ['orders:read'] }, operator)
  const { receiptId: receipt } = await made.fastify.clientKeys.change(narrowKey.key.id, {}, operator)
  const appIds = Object.fromEntries(
    await Promise.all(Object.keys(MARKERS).map(async name => [name, (await made.call('GET', `/apps/${name}`)).json.id]))
  ) as Record<string, number>
  return {
    made,
    db,
    senders: [...unknown, ...keys, ...users],
    targets: { appIds, broadKey: broadKey.key.id, narrowKey: narrowKey.key.id, adasSession: session.id, receipt }
  }
}

const createSession = async ({ fastify: { users } }: World, userId: number) => {
  const { email } = await users.find(userId)
  const account = required((await users.findAccount(email)) ?? undefined, email)
  const { user, session, accessToken } = await users.signIn(account, {
    address: '192.0.2.7',
    userAgent: undefined,
    requestId: 'r'
  })
  const { authorization = '' } = sessionHeaders(accessToken, session, user.email)
  return { user, session, id: session.id, headers: { authorization } }
}

const toSender = async (made: World, user: Pick<User, 'id'>, wanted: UserDescription): Promise<UserSender> => {
  const { headers } = await createSession(made, user.id)
  const { email, role: globalRole } = await made.fastify.users.find(user.id)
  const { who, app = ADAS_APP, onlyApps, role = null, may } = wanted
  const isAdmin = globalRole === 'admin'
  return { kind: 'user', who, headers, app, onlyApps, id: String(user.id), userId: user.id, email, isAdmin, may, role }
}

const createUsers = async (made: World): Promise<UserSender[]> => {
  const { users, storage } = made.fastify
  const passwordHash = await quickHasher.hash(SAMPLE_PASSWORD)
  const senders = [await toSender(made, { id: ADA }, { who: 'the owner', role: 'admin', may: EVERYTHING })]
  for (const [index, wanted] of [...UNRELATED_USERS, ...MEMBERS, ...USERS_WITH_GRANTS].entries()) {
    const { who, app = ADAS_APP, role, granted = [], isAdmin = false } = wanted
    const email = `user${index}@example.com`
    const fields = { name: who, email, passwordHash, role: isAdmin ? ('admin' as const) : ('member' as const) }
    const user = await users.create(fields, operator)
    await storage.write(async tx => {
      if (role !== undefined) await tx.organizations.setRole(NORTHWIND, user.id, role)
      const { id } = required((await tx.apps.find(app)) ?? undefined, app)
      for (const permit of granted) await tx.apps.grant(id, user.id, permit)
    })
    senders.push(await toSender(made, user, wanted))
  }
  return senders
}

const createKeys = async (made: World, admin: UserSender): Promise<KeySender[]> => {
  const { clientKeys, users } = made.fastify
  const account = required((await users.findAccount(admin.email)) ?? undefined, admin.who)
  const { user, session } = await users.signIn(account, { address: '192.0.2.7', userAgent: undefined, requestId: 'r' })
  const byAdmin = contextOf({ principal: { kind: 'user', user, session }, ip: '192.0.2.7', id: 'r' })
  const ofAdmin: Scope[] = ['client_keys:read', 'client_keys:write', 'users:read', 'users:write']
  const wanted: [who: string, scopes: readonly (Scope | '*')[], expires?: true][] = [
    ['an unscoped key', ['*']],
    ['an unscoped key that expires', ['*'], true],
    ['a key with apps:write and users:write', ['apps:write', 'users:write']],
    ['a key that an administrator issued', ofAdmin],
    ...SCOPES.map((scope): [string, readonly Scope[]] => [`a key with ${scope}`, [scope]])
  ]
  const senders: KeySender[] = []
  for (const [who, scopes, expires = false] of wanted) {
    const { key, keyAccessToken } = await clientKeys.issue(
      { name: who, scopes, expiresAt: expires ? new Date(Date.now() + 86_400_000) : null },
      scopes === ofAdmin ? byAdmin : operator
    )
    const headers = { authorization: `Bearer ${keyAccessToken}` }
    const isUnlimited = scopes.includes('*') && !expires
    senders.push({ kind: 'key', who, headers, app: ADAS_APP, id: key.id, scopes, isUnlimited, expires })
  }
  return senders
}

const createUnknown = async (made: World, db: Db): Promise<UnknownSender[]> => {
  const { clientKeys, users } = made.fastify
  const create = async (name: string): Promise<number> =>
    (await users.create({ name, email: `${name}@example.com`, role: 'admin', passwordHash: 'h' }, operator)).id
  const revoked = await clientKeys.issue({ name: 'revoked' }, operator)
  await clientKeys.revoke(revoked.key.id, null, operator)
  const [locked, deleted] = [
    await createSession(made, await create('locked')),
    await createSession(made, await create('deleted'))
  ]
  await db.execute(`update users set account_locked = true where id = ${locked.user.id}`)
  await users.remove(deleted.user.id, null, operator)
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const all: [who: string, headers: Record<string, string>][] = [
    ['nobody', {}],
    ['a malformed token', bearer('tck_not-a-token')],
    ['a revoked key', bearer(revoked.keyAccessToken)],
    ['an administrator who is locked', locked.headers],
    ['an administrator who was deleted', deleted.headers]
  ]
  return all.map(([who, headers]) => ({ kind: 'unknown', who, headers, app: ADAS_APP }))
}
