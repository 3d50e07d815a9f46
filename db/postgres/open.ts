import type { Pool, PoolClient } from 'pg'
import { NOT_REPORTED } from '../../domain/background.ts'
import type { StorageStatistics } from '../../domain/statistics.ts'
import type { Now } from '../../domain/time.ts'
import type { Reads, Tx } from '../../domain/transactor.ts'
import { createListApps } from '../app-lists.ts'
import type { ListReads } from '../app-lists.ts'
import type { Storage } from '../storage.ts'
import { createListReads } from './apps/lists.ts'
import { createAppReads } from './apps/reads.ts'
import { createAppRows } from './apps/rows.ts'
import { createAuditReads, createAuditRows } from './audits/rows.ts'
import { createScopedAuditReads } from './audits/scoped.ts'
import { bringUpToDate, closePool, createPool } from './connections.ts'
import { createDatabase } from './database.ts'
import type { PostgresDatabase } from './database.ts'
import { withoutStatementValues } from './failures.ts'
import { createKeyReads } from './keys/reads.ts'
import { createUsageRows } from './keys/usage.ts'
import { createPostgresCounters } from './limits.ts'
import { markAsSample } from './marks.ts'
import { createNode } from './nodes/node.ts'
import { createOrganizationReads } from './organizations/reads.ts'
import { createOrganizationRows } from './organizations/rows.ts'
import { preparing } from './prepared.ts'
import type { PostgresOptions } from './settings.ts'
import { createServiceReads } from './services/rows.ts'
import { createDatabaseTime } from './time.ts'
import type { Outbox } from './transaction.ts'
import { createPostgresTransactor } from './transactor.ts'
import { createUserReads } from './users/reads.ts'
import { createUserRows } from './users/rows.ts'

/** Opens a PostgreSQL database. The process becomes a node when it authenticates its first request. */
export const openPostgres = async (options: PostgresOptions): Promise<Storage> => {
  const time = createDatabaseTime()
  const { isSample } = await bringUpToDate(options, options.asSample === true ? markAsSample : undefined, time)
  const pool = createPool(options)
  const now: Now = () => new Date(time.now())
  const background = withoutStatementValues(options.background ?? NOT_REPORTED)
  const counters = createPostgresCounters(async (text, values) => await pool.query(text, values), background)
  const node = createNode({ ...options, background }, { pool, time, others: [counters.removeExpired] })
  const preparable = options.listenUrl === undefined
  const transactor = createPostgresTransactor({
    pool,
    createReads: client => createReads(client, now),
    // A transaction's statements find single rows by their keys, so one plan suits all values.
    createTx: (client, outbox) => createTx(createDatabase(preparable ? preparing(client) : client), outbox, now)
  })
  let closing: Promise<void> | undefined
  return {
    ...transactor,
    listApps: createListApps(transactor),
    ...node.reads,
    keys: { read: transactor.read, write: node.write, confirm: node.confirm, now: time.now },
    keyLookup: node.keyLookup,
    counters,
    isSample,
    statistics: () => ({ ...node.statistics(), pool: statisticsOf(pool) }),
    readiness: node.readiness,
    close: async () => {
      await (closing ??= node.close().then(async () => {
        await closePool(pool)
      }))
    }
  }
}

const statisticsOf = ({ totalCount, idleCount, waitingCount }: Pool): StorageStatistics['pool'] => ({
  total: totalCount,
  idle: idleCount,
  waiting: waitingCount
})

const createReads = (client: Pool | PoolClient, now: Now): Reads & { readonly lists: ListReads } => {
  const db = createDatabase(client)
  return {
    apps: createAppReads(db),
    audits: createAuditReads(db),
    scopedAudits: createScopedAuditReads(db),
    keys: createKeyReads(db),
    lists: createListReads(db),
    organizations: createOrganizationReads(db),
    services: createServiceReads(db),
    users: createUserReads(db),
    now
  }
}

const createTx = (db: PostgresDatabase, outbox: Outbox, now: Now): Tx => ({
  apps: createAppRows(db, outbox),
  audits: createAuditRows(db, outbox),
  keys: createUsageRows(db, outbox),
  organizations: createOrganizationRows(db),
  users: createUserRows(db),
  now
})
