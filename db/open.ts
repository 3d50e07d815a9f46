import { ConfigError } from '../config/read.ts'
import { openSqlite } from './sqlite/open.ts'
import type { Stores } from './stores.ts'

/**
 * Opens the database of a `DATABASE_URL` (`file:` and a path, relative to the working directory), makes it where there is
 * none, and brings its tables up to date. Throws a ConfigError where that can't be done.
 */
export const openStores = (url: string): Stores => {
  const path = url.replace(/^file:/, '')
  try {
    return openSqlite(path)
  } catch (error) {
    throw new ConfigError(`DATABASE_URL: the database ${path} can't be opened: ${(error as Error).message}`)
  }
}
