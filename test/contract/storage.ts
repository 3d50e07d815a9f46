import { test } from 'tap'
import type { Test } from 'tap'
import { READY } from '../../domain/readiness.ts'
import type { Storage } from '../../db/storage.ts'
import type { Tx } from '../../domain/transactor.ts'
import { AT, insertApp, newUser } from './people.ts'

/** Defines the tests that a database must pass on every engine. `open` opens a new, empty database. */
export const storageContract = (engine: string, open: (t: Test) => Promise<Storage>): void => {
  test(`${engine}: a closed database refuses reads and writes`, async t => {
    const storage = await open(t)
    t.match(await storage.readiness(), READY)
    await storage.close()
    t.match(await storage.readiness(), { keys: false, changes: false })
    await t.rejects(storage.read(async ({ apps }) => await apps.isEmpty()))
  })

  test(`${engine}: a removed row's id is never reused`, async t => {
    const { write } = await open(t)
    const add = async ({ users, organizations, apps }: Tx) => {
      const { id: user } = await users.insert(newUser('Ada'))
      const { id: organization } = await organizations.insert({ name: 'O', billingEmail: 'o@example.com' }, AT)
      const { id: app } = await insertApp({ apps }, 'a'.repeat(14), { type: 'User', id: user })
      const { id: tag } = await apps.insertTag(app, { context: 'a', name: 'b' })
      return { user, organization, app, tag }
    }
    const remove = async ({ users, organizations, apps }: Tx, made: Awaited<ReturnType<typeof add>>): Promise<void> => {
      await apps.removeAll({ type: 'User', id: made.user })
      await organizations.remove(made.organization)
      await users.remove(made.user)
    }
    const first = await write(async tx => {
      const made = await add(tx)
      await remove(tx, made)
      return made
    })
    const second = await write(add)
    await write(async tx => {
      await remove(tx, second)
    })
    const third = await write(add)
    for (const kind of ['user', 'organization', 'app', 'tag'] as const) {
      t.ok(first[kind] < second[kind] && second[kind] < third[kind], kind)
    }
  })
}
