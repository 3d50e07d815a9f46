import { test } from 'tap'
import type { Test } from 'tap'
import type { Storage } from '../../db/storage.ts'

/** What an open database must do, whatever the engine. `open` opens a new, empty one. */
export const storageContract = (engine: string, open: (t: Test) => Promise<Storage>): void => {
  test(`${engine}: a closed database does not answer`, async t => {
    const storage = await open(t)
    await storage.ping()
    await storage.close()
    await t.rejects(storage.ping())
    await t.rejects(storage.read(async ({ apps }) => await apps.isEmpty()))
  })
}
