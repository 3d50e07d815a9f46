import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import { settings } from '../helper.ts'

/** Opens a new SQLite database, closed when the test ends. */
export const sqlite = async (t: Test): Promise<Storage> => {
  const storage = await openStorage(settings(t).env.DATABASE_URL)
  t.teardown(storage.close)
  return storage
}
