import { shownUrl } from '../../net/database-url.ts'
import { BackupError } from '../backup.ts'
import { CopyError } from '../copy.ts'
import type { Engine } from '../engine.ts'
import { openPostgres } from './open.ts'

/** The PostgreSQL engine. It doesn't create backups, because PostgreSQL includes programs for that. */
export const postgres: Engine = {
  nameOf: shownUrl,
  open: async (url, options) => await openPostgres({ url, ...options }),
  // A missing database is detected only when it's opened.
  exists: () => true,
  backUp: async () => {
    throw new BackupError(
      'This command only copies SQLite databases.',
      'Back up PostgreSQL with pg_dump: see docs/operating/backups.md.'
    )
  },
  openCopySource: () => {
    throw new CopyError('This command only copies SQLite databases.', 'Copy PostgreSQL with pg_dump and pg_restore.')
  },
  // Imported dynamically, because a service needs neither.
  writeGrants: async (url, options, role) => await (await import('./grants.ts')).writeGrants({ url, ...options }, role),
  copyWriter: async () => (await import('./copy/copy.ts')).copyWriter
}
