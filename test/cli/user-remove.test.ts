import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import { createAuditService } from '../../domain/audits/service.ts'
import { settings } from '../helper.ts'
import { command } from './terminal.ts'
import type { Ended } from './terminal.ts'

interface Sampled {
  remove: (...args: string[]) => Promise<Ended>
  storage: Storage
}

/** Loads the sample data, and adds another admin to Ada's organization. */
const sampleTerminal = async (t: Test): Promise<Sampled> => {
  const { env } = settings(t)
  await command(t, 'db:sample', { env })
  const storage = await openStorage(env.DATABASE_URL)
  t.teardown(storage.close)
  await storage.write(async ({ organizations }) => {
    await organizations.setRole(1, 2, 'admin')
  })
  return { remove: async (...args) => await command(t, 'user:remove', { env, args }), storage }
}

const lastAudit = async (storage: Storage) =>
  (await createAuditService(storage).page({}, { limit: 1 })).audits.map(({ action, actor, subject, changes }) => ({
    action,
    actor,
    subject,
    changes: JSON.parse(changes) as unknown
  }))

test('user:remove refuses to remove the owner of apps unless an option specifies what happens to them', async t => {
  const { remove, storage } = await sampleTerminal(t)
  const { code, stdout, stderr } = await remove('ada@example.com')
  t.same([code, stdout], [1, ''])
  t.match(
    stderr,
    'The user still owns apps; deleted apps count too. Nothing was changed. Transfer them with ' +
      '--transfer-to User:<id> or Organization:<id>, or delete them with --delete-apps.\n'
  )
  t.ok(await storage.read(async ({ users }) => await users.find(1)))
})

test('user:remove --transfer-to transfers the apps to another owner', async t => {
  const { remove, storage } = await sampleTerminal(t)
  await storage.write(async ({ apps }) => {
    await apps.discard(Number((await apps.find('b53f8a16d7e0c9'))?.id), new Date())
  })
  t.same(await remove('Ada@Example.com', '--transfer-to', 'Organization:2'), {
    code: 0,
    stdout:
      'The user Ada Moreno <ada@example.com> was removed. Apps transferred to Organization:2: 3 (previously ' +
      'deleted: 1).\n',
    stderr: ''
  })
  await storage.read(async ({ users, apps }) => {
    t.equal(await users.find(1), null)
    t.match(await apps.find('70e2d94bc6a18f'), { owner: { type: 'Organization', id: 2 } })
    t.match(await apps.findWithDiscarded('b53f8a16d7e0c9'), { owner: { type: 'Organization', id: 2 } })
  })
  t.match(await lastAudit(storage), [
    {
      action: 'user.delete',
      actor: { kind: 'cli' },
      subject: { type: 'user', id: '1' },
      changes: { apps: { from: 2, to: 0 }, deleted_apps: { from: 1, to: 0 } }
    }
  ])
})

test('user:remove --delete-apps also deletes the apps permanently', async t => {
  const { remove, storage } = await sampleTerminal(t)
  const { code, stdout, stderr } = await remove('1', '--delete-apps', '--json')
  t.same([code, stderr], [0, ''])
  t.match(JSON.parse(stdout), { id: 1, email: 'ada@example.com', apps: 3, deleted_apps: 0, transferred_to: null })
  await storage.read(async ({ users, apps }) => {
    t.equal(await users.find(1), null)
    t.equal(await apps.findWithDiscarded('70e2d94bc6a18f'), null)
    t.ok(await apps.find('ba6811fb3e073d'), "an app of the user's organization stays")
  })
  t.match(await remove('4', '--delete-apps'), {
    stdout:
      'The user Dmitri Sato <dmitri@example.com> was removed. Apps deleted with the user: 2 (previously deleted: ' +
      '0).\n'
  })
})

test('user:remove needs no option for a user without apps', async t => {
  const { remove, storage } = await sampleTerminal(t)
  await storage.write(async ({ users }) => {
    const fields = { name: 'Eve', email: 'eve@example.com', role: 'admin', passwordHash: null } as const
    await users.insert({ ...fields, createdAt: new Date() })
  })
  t.same(await remove('eve@example.com'), {
    code: 0,
    stdout: 'The user Eve <eve@example.com> was removed.\n',
    stderr: ''
  })
  t.match(await lastAudit(storage), [{ action: 'user.delete', subject: { id: '5' }, changes: {} }])
})

test("user:remove reports why a user can't be removed, and changes nothing", async t => {
  const { remove, storage } = await sampleTerminal(t)
  const before = (await createAuditService(storage).head()).sequence
  for (const [issue, ...args] of [
    ['No user has this id.', '99'],
    ['No user has this e-mail address.', 'nobody@example.com'],
    ['No user has this e-mail address.', '1234567890123456'],
    ['No user or organization has this owner_type and owner_id.', '1', '--transfer-to', 'User:99'],
    ['The user still owns apps', '1', '--transfer-to', 'User:1'],
    ['This user is the last administrator of an organization.', '3', '--delete-apps']
  ] as const) {
    const { code, stdout, stderr } = await remove(...args)
    t.same([code, stdout], [1, ''], issue)
    t.ok(stderr.startsWith(issue), stderr)
  }
  t.equal((await createAuditService(storage).head()).sequence, before)
})
