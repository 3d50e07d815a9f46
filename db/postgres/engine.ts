import { shownUrl } from '../../net/database-url.ts'
import { BackupError } from '../backup.ts'
import { CopyError } from '../copy.ts'
import type { Engine } from '../engine.ts'
import { openPostgres } from './open.ts'

/** PostgreSQL, whose databases are on a server, which has programs of its own to back them up. */
export const postgres: Engine = {
  nameOf: shownUrl,
  open: async (url, options) => await openPostgres({ url, ...options }),
  // Only the server could say otherwise.
  exists: () => true,
  backUp: async () => {
    throw new BackupError(
      'This command copies an SQLite database.',
      'Back PostgreSQL up with pg_dump: see docs/operating.md.'
    )
  },
  openCopySource: () => {
    throw new CopyError('This command copies an SQLite database.', 'Copy PostgreSQL with pg_dump and pg_restore.')
  },
  // What comes next is loaded late, since a service neither writes grants nor copies.
  writeGrants: async (url, options, role) => await (await import('./grants.ts')).writeGrants({ url, ...options }, role),
  copyWriter: async () => (await import('./copy/copy.ts')).copyWriter
}
