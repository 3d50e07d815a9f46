import { setImmediate } from 'node:timers/promises'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { hashOf } from '../../domain/audits/chain.ts'
import { appendAudit, createAuditService } from '../../domain/audits/service.ts'
import { operator, temporaryFolder } from '../helper.ts'

const opened = async (t: Test): Promise<{ path: string; storage: Storage }> => {
  const path = join(temporaryFolder(t), 'test.db')
  const storage = await openStorage(`file:${path}`)
  t.teardown(storage.close)
  return { path, storage }
}

const organization = (name: string) => ({ name, billingEmail: `${name}@example.com` })

const countOf = async ({ read }: Storage): Promise<number> =>
  (await read(async ({ organizations }) => await organizations.page({ limit: 100, after: 0, userId: null }))).length

test('a transaction that awaits something other than its rows is refused and rolled back', async t => {
  const { storage } = await opened(t)
  await t.rejects(
    storage.write(async ({ organizations }) => {
      await organizations.insert(organization('a'), new Date())
      await setImmediate()
      await organizations.insert(organization('b'), new Date())
    }),
    { message: 'a transaction awaited something other than its rows' }
  )
  t.equal(await countOf(storage), 0)
  await storage.write(async ({ organizations }) => await organizations.insert(organization('c'), new Date()))
  t.equal(await countOf(storage), 1, 'the next transaction is not affected')
})

test('a transaction is retried while another process has locked the database, but is stored only once', async t => {
  const { path, storage } = await opened(t)
  const other = new Database(path)
  other.exec('begin immediate')
  const written = storage.write(async ({ organizations }) => await organizations.insert(organization('a'), new Date()))
  await setImmediate()
  other.exec('commit')
  other.close()
  await written
  t.equal(await countOf(storage), 1)
})

test('writes that wait together for a locked database fail together', async t => {
  const { path, storage } = await opened(t)
  const other = new Database(path)
  other.exec('begin immediate')
  const writes = Array.from({ length: 200 }, async (_, index) =>
    storage.write(async ({ organizations }) => await organizations.insert(organization(String(index)), new Date()))
  )
  for (const write of writes) await t.rejects(write, { code: 'SERVICE_UNAVAILABLE' })
  other.exec('commit')
  other.close()
  t.equal(await countOf(storage), 0)
})

test('other work continues while many transactions wait', async t => {
  const { storage } = await opened(t)
  let turns = 0
  let next: NodeJS.Immediate
  const count = (): void => {
    turns++
    next = globalThis.setImmediate(count)
  }
  next = globalThis.setImmediate(count)
  const writes = Array.from({ length: 500 }, async (_, index) =>
    storage.write(async ({ organizations }) => await organizations.insert(organization(String(index)), new Date()))
  )
  await Promise.all(writes)
  clearImmediate(next)
  t.ok(turns > 2, `${turns} turns`)
})

test('inserts by a process of an earlier version also update the head and the ports', async t => {
  const { path, storage } = await opened(t)
  const user = { name: 'A', email: 'a@example.com', role: 'member', passwordHash: null, createdAt: new Date() } as const
  const { id } = await storage.write(async ({ users }) => await users.insert(user))
  const audits = createAuditService(storage)
  const append = async (): Promise<void> => {
    await storage.write(async tx => {
      await appendAudit(tx.audits, {
        at: new Date(),
        source: operator,
        action: 'app.update',
        subject: { type: 'app', id: 'x' },
        changes: {}
      })
    })
  }
  await append()
  const other = new Database(path)
  const { hash } = await audits.head()
  const [first] = (await audits.page({}, { limit: 1 })).audits
  if (first === undefined) throw new Error('the audit trail is empty')
  const entry = { ...first, sequence: 2, previousHash: hash }
  other
    .prepare(
      `insert into audits (sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, previous_hash, hash)
       select 2, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, ?, ? from audits`
    )
    .run(hash, hashOf(entry))
  other
    .prepare(
      "insert into apps (name, descriptive_name, port, user_id, created_at, updated_at) values ('f0', 'F', 3001, ?, ?, ?)"
    )
    .run(id, user.createdAt.toISOString(), user.createdAt.toISOString())
  other.close()
  await append()
  t.match(await audits.verify(), { whole: true, head: { sequence: 3 } })
  t.equal(await storage.write(async ({ apps }) => await apps.takePort()), 3002)
})

test('read transactions cannot write', async t => {
  const { storage } = await opened(t)
  await t.rejects(
    storage.read(async ({ organizations }) => {
      await (organizations as Parameters<Parameters<Storage['write']>[0]>[0]['organizations']).insert(
        organization('a'),
        new Date()
      )
    })
  )
  t.equal(await countOf(storage), 0)
})
