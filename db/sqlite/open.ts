import type { StorageOptions } from '../engine.ts'
import type { Storage } from '../storage.ts'
import { createAppReads } from './apps/reads.ts'
import { createAppRows } from './apps/rows.ts'
import { createAuditReads, createAuditRows } from './audits/rows.ts'
import { connect, fileIdOf } from './connections.ts'
import { createKeyLookup } from './keys/lookup.ts'
import { createKeyReads } from './keys/reads.ts'
import { createKeyRows } from './keys/rows.ts'
import { createNodeReads } from './nodes.ts'
import { createOrganizationReads, createOrganizationRows } from './organizations/rows.ts'
import { createUserReads } from './users/reads.ts'
import { createUserRows } from './users/rows.ts'
import { createSqliteTransactor } from './transactor.ts'

/** Opens the SQLite database of a path. */
export const openSqlite = (path: string, { asSample, ...node }: StorageOptions): Storage => {
  const { writing, reading, isSample, close } = connect(path, asSample)
  const ping = reading.$client.prepare('select 1 from apps limit 1')
  const file = fileIdOf(path)
  const keyLookup = createKeyLookup(reading.$client)
  return {
    ...createSqliteTransactor({
      writing: writing.$client,
      rows: {
        apps: createAppReads(reading),
        audits: createAuditReads(reading),
        keys: createKeyReads(reading),
        organizations: createOrganizationReads(reading),
        users: createUserReads(reading)
      },
      tx: {
        apps: createAppRows(writing),
        audits: createAuditRows(writing),
        keys: createKeyRows(writing),
        organizations: createOrganizationRows(writing),
        users: createUserRows(writing)
      }
    }),
    ...createNodeReads(reading.$client, node),
    keyLookup,
    isSample,
    ping: async () => {
      ping.get()
      // SQLite goes on with a file that was deleted or replaced, and what it writes then is lost.
      if (fileIdOf(path) !== file) throw new Error('the database file is not the one that was opened')
    },
    statistics: () => ({ epoch: keyLookup.epoch(), leaseRemainingMs: null, pool: null }),
    close: async () => {
      close()
    }
  }
}
