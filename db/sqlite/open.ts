import { READY } from '../../domain/readiness.ts'
import type { Readiness } from '../../domain/readiness.ts'
import type { ServiceTx } from '../../domain/services/store.ts'
import { ownTime } from '../../domain/time.ts'
import type { Reads, Tx } from '../../domain/transactor.ts'
import { createListApps } from '../app-lists.ts'
import type { StorageOptions } from '../engine.ts'
import type { Storage } from '../storage.ts'
import { createListReads } from './apps/lists.ts'
import { createAppReads } from './apps/reads.ts'
import { createAppRows } from './apps/rows.ts'
import { createAuditReads, createAuditRows } from './audits/rows.ts'
import { createScopedAuditReads } from './audits/scoped.ts'
import { connect, fileIdOf } from './connections.ts'
import type { SqliteDatabase } from './database.ts'
import { createKeyLookup } from './keys/lookup.ts'
import { createKeyReads } from './keys/reads.ts'
import { createKeyRows } from './keys/rows.ts'
import { createNodeReads } from './nodes.ts'
import { createOrganizationReads, createOrganizationRows } from './organizations/rows.ts'
import { connectToRead } from './reading.ts'
import { createServiceReads, createServiceRows } from './services/rows.ts'
import { createUserReads } from './users/reads.ts'
import { createUserRows } from './users/rows.ts'
import { createSqliteTransactor } from './transactor.ts'

/** Opens the SQLite database at the given path. */
export const openSqlite = (path: string, { readOnly = false, ...options }: StorageOptions): Storage => {
  const { writing, reading, isSample, close } = readOnly ? connectToRead(path) : connect(path, options)
  const ping = reading.$client.prepare('select 1 from apps limit 1')
  const file = fileIdOf(path)
  const keyLookup = createKeyLookup(reading.$client)
  const { settled, ...transactor } = createSqliteTransactor({
    writing: writing.$client,
    rows: { ...createReads(reading), lists: createListReads(reading) },
    tx: createTx(writing)
  })
  return {
    ...transactor,
    keys: transactor,
    listApps: createListApps(transactor),
    ...createNodeReads(reading.$client, options),
    keyLookup,
    isSample,
    readiness: async () => readReadiness(ping, () => fileIdOf(path) === file),
    statistics: () => ({ epoch: keyLookup.epoch(), leaseRemainingMs: null, pool: null }),
    close: async () => {
      // A bulk change takes several turns of the event loop.
      await settled()
      close()
    }
  }
}

const readReadiness = (ping: { readonly get: () => unknown }, isSameFile: () => boolean): Readiness => {
  try {
    ping.get()
  } catch (cause) {
    return { keys: false, changes: false, failing: ['schema'], causes: [cause] }
  }
  if (isSameFile()) return READY
  // SQLite continues to use a file that has been deleted or replaced, and anything that it then writes is lost.
  const cause = new Error('the database file was deleted or replaced')
  return { keys: false, changes: false, failing: ['primary'], causes: [cause] }
}

const createReads = (db: SqliteDatabase): Reads => ({
  apps: createAppReads(db),
  audits: createAuditReads(db),
  scopedAudits: createScopedAuditReads(db),
  keys: createKeyReads(db),
  organizations: createOrganizationReads(db),
  services: createServiceReads(db),
  users: createUserReads(db),
  now: ownTime
})

const createTx = (db: SqliteDatabase): Tx & ServiceTx => ({
  apps: createAppRows(db),
  audits: createAuditRows(db),
  keys: createKeyRows(db),
  organizations: createOrganizationRows(db),
  services: createServiceRows(db),
  users: createUserRows(db),
  now: ownTime
})
