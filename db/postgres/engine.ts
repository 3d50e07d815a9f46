import { shownUrl } from '../../net/database-url.ts'
import { BackupError } from '../backup.ts'
import { CopyError } from '../copy.ts'
import type { Engine } from '../engine.ts'
import { openPostgres } from './open.ts'

/** PostgreSQL. Its databases are on a server, which comes with its own backup programs. */
export const postgres: Engine = {
  nameOf: shownUrl,
  open: async (url, options) => await openPostgres({ url, ...options }),
  // Only the server can report that a database doesn't exist.
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
  // Imported dynamically, because a service neither writes grants nor copies.
  writeGrants: async (url, options, role) => await (await import('./grants.ts')).writeGrants({ url, ...options }, role),
  copyWriter: async () => (await import('./copy/copy.ts')).copyWriter
}
