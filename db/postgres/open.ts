import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { v4 as newId } from 'uuid'
import type { Pool, PoolClient } from 'pg'
import { NOT_REPORTED } from '../../domain/background.ts'
import type { BackgroundHooks } from '../../domain/background.ts'
import { systemClock } from '../../domain/keys/freshness/clock.ts'
import { createConfirmation } from '../../domain/keys/freshness/confirmation.ts'
import type { Confirm } from '../../domain/keys/freshness/confirmation.ts'
import type { KeyLookup } from '../../domain/keys/freshness/freshness.ts'
import { createLease } from '../../domain/keys/freshness/lease.ts'
import type { StorageStatistics } from '../../domain/statistics.ts'
import type { Reads, Tx } from '../../domain/transactor.ts'
import { VERSION } from '../../version.ts'
import { createListApps } from '../app-lists.ts'
import type { ListReads } from '../app-lists.ts'
import type { Storage } from '../storage.ts'
import { createListReads } from './apps/lists.ts'
import { createAppReads } from './apps/reads.ts'
import { createAppRows } from './apps/rows.ts'
import { createAuditReads, createAuditRows } from './audits/rows.ts'
import { bringUpToDate, closePool, createPool } from './connections.ts'
import { createDatabase } from './database.ts'
import type { PostgresDatabase } from './database.ts'
import { createDirectConnection } from './direct.ts'
import { asQuery, toFailure, withoutStatementValues } from './failures.ts'
import { createKeyLookup } from './keys/lookup.ts'
import { createKeyReads } from './keys/reads.ts'
import { createKeyRows } from './keys/rows.ts'
import { createConfirmationStore } from './nodes/confirmation.ts'
import { startJanitor } from './nodes/janitor.ts'
import { createPostgresCounters } from './limits.ts'
import { createLeaseStore } from './nodes/leases.ts'
import { createNodeReads } from './nodes/reads.ts'
import { createOrganizationReads } from './organizations/reads.ts'
import { createOrganizationRows } from './organizations/rows.ts'
import { markAsSample } from './marks.ts'
import { DEFAULT_LEASE_MS } from './settings.ts'
import type { PostgresOptions } from './settings.ts'
import { preparing } from './prepared.ts'
import { createPostgresTransactor } from './transactor.ts'
import type { LeaveUnanswered } from './transactor.ts'
import { createUserReads } from './users/reads.ts'
import { createUserRows } from './users/rows.ts'

/** Opens a PostgreSQL database. It becomes a node of it when the first request has to be authenticated. */
export const openPostgres = async (options: PostgresOptions): Promise<Storage> => {
  const { isSample } = await bringUpToDate(options, options.asSample === true ? markAsSample : undefined)
  const pool = createPool(options)
  const db = createDatabase(pool)
  const background = withoutStatementValues(options.background ?? NOT_REPORTED)
  const counters = createPostgresCounters(async (text, values) => await pool.query(text, values), background)
  const node = createNode({ ...options, background }, db, [counters.removeExpired])
  const transactor = createPostgresTransactor({
    pool,
    createReads,
    // A transaction asks for single rows, by keys.
    createTx: (client, leaveUnanswered) =>
      createTx(options.listenUrl === undefined ? preparing(client) : client, leaveUnanswered)
  })
  let closing: Promise<void> | undefined

  return {
    ...transactor,
    listApps: createListApps(transactor),
    ...createNodeReads(db),
    confirm: createConfirm(db, background),
    keyLookup: node.keyLookup,
    counters,
    isSample,
    statistics: () => ({
      ...node.statistics(),
      pool: { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }
    }),
    ping: async () => {
      await asQuery(db.$client.query('select 1 from audit_head')).catch(rethrowFailure)
    },
    close: async () => {
      await (closing ??= node.close().then(async () => {
        await closePool(pool)
      }))
    }
  }
}

const rethrowFailure = (error: unknown): never => {
  throw toFailure(error)
}

const sleep = async (ms: number): Promise<void> => {
  await setTimeout(ms)
}

const createConfirm = (db: PostgresDatabase, background: BackgroundHooks): Confirm => {
  const confirm = createConfirmation({ clock: systemClock, sleep, store: createConfirmationStore(db), background })
  return async (change, committedAt) => await confirm(change, committedAt).catch(rethrowFailure)
}

interface Node {
  readonly keyLookup: Required<KeyLookup>
  readonly statistics: () => Omit<StorageStatistics, 'pool'>
  readonly close: () => Promise<void>
}

/** What this process is as a node: it looks keys up, and remembers them while it has a lease. */
const createNode = (
  options: PostgresOptions & { readonly background: BackgroundHooks },
  db: PostgresDatabase,
  others: readonly (() => Promise<unknown>)[]
): Node => {
  const { leaseMs = DEFAULT_LEASE_MS, name = hostname(), generations, background } = options
  const direct = createDirectConnection(options, () => {
    lease.notify()
  })
  let stopJanitor: (() => void) | undefined
  const leases = createLeaseStore(direct, { name, version: VERSION, startedAt: new Date(), generations })
  const lease = createLease({
    clock: systemClock,
    leaseMs,
    newId,
    background,
    store: {
      ...leases,
      register: async node => {
        stopJanitor ??= startJanitor({ db, leaseMs, others, background })
        return await leases.register(node)
      }
    }
  })
  return {
    keyLookup: createKeyLookup(direct, lease),
    statistics: () => ({ epoch: lease.head(), leaseRemainingMs: lease.remaining() }),
    close: async () => {
      stopJanitor?.()
      await lease.close()
      await direct.close()
    }
  }
}

const createReads = (client: Pool | PoolClient): Reads & { readonly lists: ListReads } => {
  const db = createDatabase(client)
  return {
    apps: createAppReads(db),
    audits: createAuditReads(db),
    keys: createKeyReads(db),
    lists: createListReads(db),
    organizations: createOrganizationReads(db),
    users: createUserReads(db)
  }
}

const createTx = (client: PoolClient, leaveUnanswered: LeaveUnanswered): Tx => {
  const db = createDatabase(client)
  return {
    apps: createAppRows(db, leaveUnanswered),
    audits: createAuditRows(db, leaveUnanswered),
    keys: createKeyRows(db),
    organizations: createOrganizationRows(db),
    users: createUserRows(db)
  }
}
