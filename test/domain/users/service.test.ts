import { test } from 'tap'
import { sessionDigest } from '../../../domain/users/session.ts'
import type { Session } from '../../../domain/users/session.ts'
import type { User } from '../../../domain/users/user.ts'
import { contextOf } from '../../../domain/access/principal.ts'
import type { RequestContext } from '../../../domain/access/principal.ts'
import { required, world } from '../../helper.ts'
import type { World } from '../../helper.ts'

const OPERATOR: RequestContext = {
  principal: null,
  actor: { kind: 'cli', id: '0', name: 'tester' },
  address: null,
  requestId: null
}

const SOURCE = { address: '192.0.2.7', userAgent: undefined, requestId: 'r' }

const asUser = (user: User, session: Session): RequestContext =>
  contextOf({ principal: { kind: 'user', user, session }, ip: '192.0.2.7', id: 'r' })

/** Signs in Ben, who owns three apps, is a member of an organization and administers another. */
const signBenIn = async ({ fastify: { users } }: World) => {
  const account = required((await users.findAccount('ben@example.com')) ?? undefined, 'the account')
  const { user, session, accessToken } = await users.signIn(account, SOURCE)
  const credential = { accessToken, client: session.client, uid: user.email }
  return { account, credential, context: asUser(user, session) }
}

test('the operator may make changes that no one else may, but none that violate data rules', async t => {
  const { fastify } = await world(t)
  const { users, organizations } = fastify
  const made = await users.create({ name: 'Eve', email: 'eve@example.com', role: 'admin', passwordHash: 'h' }, OPERATOR)
  t.match(made, { role: 'admin', colorTheme: null, accountLocked: false })
  t.match(await users.update(made.id, { passwordHash: 'i', email: 'e@example.com' }, OPERATOR), {
    email: 'e@example.com'
  })
  t.same(
    (await users.grants(3, OPERATOR)).map(({ permits }) => permits),
    [['read', 'update']]
  )
  await t.rejects(users.remove(2, { type: 'User', id: made.id }, OPERATOR), { code: 'LAST_ADMIN' })
  await t.rejects(users.remove(4, null, OPERATOR), { code: 'OWNS_APPS' })
  await users.remove(4, { type: 'User', id: made.id }, OPERATOR)
  await organizations.remove(3, { type: 'User', id: made.id }, OPERATOR)
  t.match(await fastify.audits.page({ subjectType: 'organization' }, { limit: 1 }), {
    audits: [{ action: 'organization.delete', actor: OPERATOR.actor }]
  })
})

test('the sessions of a locked account are refused, and no new session can start', async t => {
  const made = await world(t)
  const { users, storage } = made.fastify
  const { account, credential } = await signBenIn(made)
  t.match(await users.findSession(credential), { user: account.user })
  await storage.write(async tx => {
    await tx.users.update(account.user.id, { accountLocked: true }, new Date())
  })
  t.ok(
    await storage.read(async rows => await rows.users.findSession(sessionDigest(credential.accessToken), new Date()))
  )
  t.equal(await users.findSession(credential), null)
  await t.rejects(users.signIn(account, SOURCE), { code: 'INVALID_LOGIN' })
})

test("a user who has just been deleted can't change anything", async t => {
  const made = await world(t)
  const { fastify } = made
  const { users, organizations } = fastify
  const { account, credential, context } = await signBenIn(made)
  await organizations.setRole(2, { userId: 1, role: 'admin', email: null }, OPERATOR)
  await users.remove(account.user.id, { type: 'User', id: 1 }, OPERATOR)

  t.equal(await users.findSession(credential), null)
  await t.rejects(users.signIn(account, SOURCE), { code: 'INVALID_LOGIN' })
  await t.rejects(users.updateProfile({ name: 'Nobody' }, context), { code: 'USER_NOT_FOUND' })
  await t.rejects(users.changePassword({ checkedHash: account.passwordHash, passwordHash: 'h' }, context), {
    code: 'INVALID_TOKEN'
  })
  await t.rejects(organizations.create({ name: 'Empty', billingEmail: 'e@example.com' }, context), {
    code: 'INVALID_TOKEN'
  })
  const before = (await fastify.audits.head()).sequence
  await users.signOut(context)
  t.equal((await fastify.audits.head()).sequence, before, 'an ended session is not ended again')
  t.equal((await organizations.page({ limit: 9, after: 0 }, OPERATOR)).organizations.length, 3)
})

test('a location is known for 90 days after the last sign-in from there', async t => {
  const made = await world(t)
  const { users, storage } = made.fastify
  const { account } = await signBenIn(made)
  const { id } = account.user
  const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000)
  await storage.write(async tx => {
    await tx.users.saveLocation(id, '198.51.100.1', daysAgo(89))
    await tx.users.saveLocation(id, '198.51.100.2', daysAgo(91))
    await tx.users.saveLocation(id, '2001:db8:0:1', daysAgo(1))
  })
  const knownLocations = async (...addresses: string[]): Promise<boolean[]> =>
    await Promise.all(addresses.map(async address => await users.isKnownLocation(id, address)))
  t.same(await knownLocations(SOURCE.address, '198.51.100.1', '198.51.100.2', '2001:db8:0:1::7'), [
    true,
    true,
    false,
    true
  ])
  await users.signIn(account, SOURCE)
  const isStored = async (ipPrefix: string): Promise<boolean> =>
    await storage.read(async rows => await rows.users.isKnownLocation(id, ipPrefix, daysAgo(1000)))
  t.same([await isStored('198.51.100.1'), await isStored('198.51.100.2')], [true, false], 'the old location is removed')
})

test('parts of a User-Agent that are unreadable or could be a credential are not stored', async t => {
  const made = await world(t)
  const { users } = made.fastify
  const { account } = await signBenIn(made)
  const userAgent = `${made.key.keyAccessToken} browser\u0007 ${'x '.repeat(200)}`
  const { session } = await users.signIn(account, { ...SOURCE, userAgent })
  t.match(session.agent, /^\[redacted\] browser\? x x /)
  t.equal(session.agent?.length, 200)
  // Node.js decodes bytes that aren't UTF-8 like this.
  const other = await users.signIn(account, { ...SOURCE, userAgent: 'caf\u00e9 caf\u00c3\u00a9' })
  t.equal(other.session.agent, 'caf? café')
})
