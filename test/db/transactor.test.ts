import { setImmediate } from 'node:timers/promises'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { temporaryFolder } from '../helper.ts'

const opened = (t: Test): { path: string; storage: Storage } => {
  const path = join(temporaryFolder(t), 'test.db')
  const storage = openStorage(`file:${path}`)
  t.teardown(() => {
    storage.close()
  })
  return { path, storage }
}

const organization = (name: string) => ({ name, billingEmail: `${name}@example.com` })

const countOf = async ({ read }: Storage): Promise<number> =>
  (await read(async ({ organizations }) => await organizations.page({ limit: 100, after: 0, userId: null }))).length

test('a transaction that awaits something else than its rows is refused, and nothing of it is stored', async t => {
  const { storage } = opened(t)
  await t.rejects(
    storage.write(async ({ organizations }) => {
      await organizations.insert(organization('a'), new Date())
      await setImmediate()
      await organizations.insert(organization('b'), new Date())
    }),
    { message: 'a transaction awaited something else than its rows' }
  )
  t.equal(await countOf(storage), 0)
  await storage.write(async ({ organizations }) => await organizations.insert(organization('c'), new Date()))
  t.equal(await countOf(storage), 1, 'the next one is not affected')
})

test('a transaction runs again where another process held the database, and is stored once', async t => {
  const { path, storage } = opened(t)
  const other = new Database(path)
  other.exec('begin immediate')
  const written = storage.write(async ({ organizations }) => await organizations.insert(organization('a'), new Date()))
  await setImmediate()
  other.exec('commit')
  other.close()
  await written
  t.equal(await countOf(storage), 1)
})

test('writes that wait together for a held database give up together', async t => {
  const { path, storage } = opened(t)
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

test('what readers are given can not write', async t => {
  const { storage } = opened(t)
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
