import { test } from 'tap'
import { loadSample } from '../../db/load-sample.ts'
import { openStorage } from '../../db/open.ts'
import { sample } from '../../db/sample.ts'
import type { Transactor } from '../../domain/transactor.ts'
import { settings } from '../helper.ts'

const context = {
  principal: null,
  actor: { kind: 'cli', id: '0', name: 'tester' },
  address: null,
  requestId: null
} as const

const options = { sample, hashOf: () => 'h', context }

test('the sample data is loaded completely, only once, and only into an empty database', async t => {
  const storage = await openStorage(settings(t).env.DATABASE_URL)
  t.teardown(storage.close)
  t.ok(await loadSample(storage, options))
  const head = await storage.read(async ({ audits }) => await audits.head())
  t.equal(head.sequence, 1, 'loading the sample data adds a single audit entry')
  t.match(await storage.read(async ({ audits }) => await audits.newest({}, { limit: 1 })), [
    { action: 'sample.load', actor: context.actor, changes: `{"apps":{"to":${sample.apps.length}}}` }
  ])
  const ada = await storage.read(async ({ users }) => await users.findAccountByEmail('ada@example.com'))
  t.match(ada, { user: { role: 'member', createdAt: sample.createdAt }, passwordHash: 'h' })
  t.notOk(await loadSample(storage, options))
  t.notOk(await loadSample(storage, { ...options, hashOf: () => 'other' }))
  t.equal((await storage.read(async ({ users }) => await users.findAccount(1)))?.passwordHash, 'h')
  t.equal((await storage.read(async ({ audits }) => await audits.head())).sequence, 1)
})

test('nothing is loaded if no port is left for an app', async t => {
  const storage = await openStorage(settings(t).env.DATABASE_URL)
  t.teardown(storage.close)
  const withoutPorts: Pick<Transactor, 'write'> = {
    write: async work =>
      await storage.write(async tx => await work({ ...tx, apps: { ...tx.apps, takePort: async () => null } }))
  }
  await t.rejects(loadSample(withoutPorts, options), { code: 'NO_PORT_LEFT' })
  t.ok(await storage.read(async ({ users }) => await users.isEmpty()))
})
