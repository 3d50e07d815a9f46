import { createRequire } from 'node:module'
import type BetterSqlite3 from 'better-sqlite3'
import { pathOf } from '../../paths.ts'

// Version 12 of better-sqlite3, compiled on Node 24.19 or a later 24.x, aborts the process when a
// statement is garbage-collected (nodejs/node#65446). Version 13 is prebuilt and doesn't, but requires Node-API 10,
// which Node 20 lacks.
const VERSION_12 = 'better-sqlite3'
const VERSION_13 = 'better-sqlite3-napi'
const NODE_API_OF_VERSION_13 = 10

const require = createRequire(pathOf('db'))

const isInstalled = (name: string): boolean => {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/**
 * Returns the name of the package with the SQLite driver for a version of Node-API. The newer package is optional, so
 * npm may not have installed it.
 */
export const driverFor = (nodeApi: number, newer = VERSION_13): string =>
  nodeApi >= NODE_API_OF_VERSION_13 && isInstalled(newer) ? newer : VERSION_12

// Only a URI can declare that a file doesn't change. The driver reads the variable once, when the first database is
// opened.
process.env['SQLITE_USE_URI'] ??= '1'

/** The SQLite driver, better-sqlite3. A name that begins with file: is a URI. */
export const Database = require(driverFor(Number(process.versions['napi']))) as typeof BetterSqlite3

/** An open database connection of the driver. */
export type Connection = BetterSqlite3.Database
