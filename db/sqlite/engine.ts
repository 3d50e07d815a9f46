import { existsSync } from 'node:fs'
import { sqlitePathOf } from '../../net/database-url.ts'
import { CopyError } from '../copy.ts'
import type { Engine } from '../engine.ts'
import { GrantsError } from '../grants.ts'
import { backUpSqlite } from './backup.ts'
import { openCopySource } from './copy-source.ts'
import { openSqlite } from './open.ts'

/** The SQLite engine. Its databases are files. */
export const sqlite: Engine = {
  nameOf: sqlitePathOf,
  open: async (url, options) => openSqlite(sqlitePathOf(url), options),
  exists: url => existsSync(sqlitePathOf(url)),
  backUp: async (url, file, onPages) => await backUpSqlite(sqlitePathOf(url), file, onPages),
  openCopySource: (url, tables) => openCopySource(sqlitePathOf(url), tables),
  writeGrants: async () => {
    throw new GrantsError('An SQLite database has no roles.', 'Set DATABASE_URL to a PostgreSQL database.')
  },
  copyWriter: async () => {
    throw new CopyError(
      'This command only copies into PostgreSQL databases.',
      'Copy an SQLite database with npm run db:backup.'
    )
  }
}
