import { readConfig } from '../config/read.ts'
import { DATABASE_VARIABLES, openConfigured } from '../db/open.ts'
import type { Purpose } from '../db/open.ts'
import type { Storage } from '../db/storage.ts'
import type { Terminal } from './terminal.ts'

/** Opens the configured database, runs `work` with it, and closes it. */
export const withStorage = async <T>(
  terminal: Terminal,
  work: (storage: Storage) => Promise<T>,
  purpose: Pick<Purpose, 'readOnly'> = {}
): Promise<T> => {
  const storage = await openConfigured(readConfig(terminal.environment(), [...DATABASE_VARIABLES]), purpose)
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}
