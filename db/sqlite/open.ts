import type { Reads, Tx } from '../../domain/transactor.ts'
import { createListApps } from '../app-lists.ts'
import type { StorageOptions } from '../engine.ts'
import type { Storage } from '../storage.ts'
import { createListReads } from './apps/lists.ts'
import { createAppReads } from './apps/reads.ts'
import { createAppRows } from './apps/rows.ts'
import { createAuditReads, createAuditRows } from './audits/rows.ts'
import { connect, fileIdOf } from './connections.ts'
import type { SqliteDatabase } from './database.ts'
import { createKeyLookup } from './keys/lookup.ts'
import { createKeyReads } from './keys/reads.ts'
import { createKeyRows } from './keys/rows.ts'
import { createNodeReads } from './nodes.ts'
import { createOrganizationReads, createOrganizationRows } from './organizations/rows.ts'
import { createUserReads } from './users/reads.ts'
import { createUserRows } from './users/rows.ts'
import { createSqliteTransactor, readNow } from './transactor.ts'

/** Opens the SQLite database of a path. */
export const openSqlite = (path: string, { asSample, ...node }: StorageOptions): Storage => {
  const { writing, reading, isSample, close } = connect(path, asSample)
  const ping = reading.$client.prepare('select 1 from apps limit 1')
  const file = fileIdOf(path)
  const keyLookup = createKeyLookup(reading.$client)
  const transactor = createSqliteTransactor({
    writing: writing.$client,
    rows: { ...createReads(reading), lists: createListReads(reading) },
    tx: createTx(writing)
  })
  return {
    ...transactor,
    listApps: createListApps(transactor),
    ...createNodeReads(reading.$client, node),
    keyLookup,
    isSample,
    ping: async () => {
      readNow(() => ping.get())
      // SQLite goes on with a file that was deleted or replaced, and what it writes then is lost.
      if (fileIdOf(path) !== file) throw new Error('the database file is not the one that was opened')
    },
    statistics: () => ({ epoch: keyLookup.epoch(), leaseRemainingMs: null, pool: null }),
    close: async () => {
      close()
    }
  }
}

const createReads = (db: SqliteDatabase): Reads => ({
  apps: createAppReads(db),
  audits: createAuditReads(db),
  keys: createKeyReads(db),
  organizations: createOrganizationReads(db),
  users: createUserReads(db)
})

const createTx = (db: SqliteDatabase): Tx => ({
  apps: createAppRows(db),
  audits: createAuditRows(db),
  keys: createKeyRows(db),
  organizations: createOrganizationRows(db),
  users: createUserRows(db)
})
