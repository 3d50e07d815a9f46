import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { Pool } from 'pg'
import { v4 as newId } from 'uuid'
import type { BackgroundHooks } from '../../../domain/background.ts'
import { systemClock } from '../../../domain/keys/freshness/clock.ts'
import { createConfirmation } from '../../../domain/keys/freshness/confirmation.ts'
import type { Confirm, ConfirmationOptions } from '../../../domain/keys/freshness/confirmation.ts'
import { createEvictions } from '../../../domain/keys/freshness/evictions.ts'
import type { KeyLookup } from '../../../domain/keys/freshness/freshness.ts'
import { createLease } from '../../../domain/keys/freshness/lease.ts'
import type { LeaseStore } from '../../../domain/keys/freshness/lease-store.ts'
import type { NodeReads } from '../../../domain/keys/freshness/nodes.ts'
import type { Readiness } from '../../../domain/readiness.ts'
import type { ServiceStore } from '../../../domain/services/store.ts'
import type { StorageStatistics } from '../../../domain/statistics.ts'
import type { Now } from '../../../domain/time.ts'
import { VERSION } from '../../../version.ts'
import { createAuditRows } from '../audits/rows.ts'
import { closePool, createChangesPool } from '../connections.ts'
import { createDatabase } from '../database.ts'
import { createDirectConnection } from '../direct.ts'
import { toFailure } from '../failures.ts'
import { createKeyChanges } from '../key-changes.ts'
import type { KeyChangesOptions } from '../key-changes.ts'
import { createKeyLookup } from '../keys/lookup.ts'
import { createKeyRows } from '../keys/rows.ts'
import { createServiceRows } from '../services/rows.ts'
import { BULK_CHANGES, CHANGES, DEFAULT_LEASE_MS, TIMEOUTS } from '../settings.ts'
import type { PostgresOptions } from '../settings.ts'
import type { DatabaseTime } from '../time.ts'
import { createConfirmationStore } from './confirmation.ts'
import { startJanitor } from './janitor.ts'
import { createLeaseStore } from './leases.ts'
import { readReadiness } from './readiness.ts'
import { createNodeReads } from './reads.ts'

const sleep = async (ms: number): Promise<void> => {
  await setTimeout(ms)
}

const createConfirm = (parts: Omit<ConfirmationOptions, 'clock' | 'sleep'>): Confirm => {
  const confirm = createConfirmation({ ...parts, clock: systemClock, sleep })
  return async (change, committedAt, options) => {
    try {
      return await confirm(change, committedAt, options)
    } catch (error) {
      throw toFailure(error)
    }
  }
}

export interface Node {
  readonly keyLookup: Required<KeyLookup>
  readonly reads: NodeReads
  readonly write: ServiceStore['write']
  readonly confirm: Confirm
  readonly readiness: () => Promise<Readiness>
  readonly statistics: () => Omit<StorageStatistics, 'pool'>
  readonly close: () => Promise<void>
}

/** The resources that a node shares with the rest of the process. */
interface Shared {
  /** The connections for all queries without reserved connections. */
  readonly pool: Pool
  readonly time: DatabaseTime
  /** Functions that delete other expired rows. */
  readonly others: readonly (() => Promise<unknown>)[]
}

/**
 * Creates the node of this process. It looks up keys, caches them while it has a lease, and changes them. Its
 * connections are reserved for that. Statements that may wait for a lock aren't sent on the connections that requests
 * wait for.
 */
export const createNode = (
  options: PostgresOptions & { readonly background: BackgroundHooks },
  { pool, time, others }: Shared
): Node => {
  const { leaseMs = DEFAULT_LEASE_MS, name = hostname(), generations, background } = options
  const changes = createChangesPool(options, CHANGES)
  const bulkChanges = createChangesPool(options, BULK_CHANGES)
  const db = createDatabase(changes)
  const now: Now = () => new Date(time.now())
  const evictions = createEvictions(systemClock)
  const lookups = createDirectConnection(options)
  const direct = createDirectConnection(options, () => {
    lease.notify()
  })
  const node = { name, version: VERSION, startedAt: now(), generations }
  const store = createLeaseStore({ direct, db, time, node })
  let stopJanitor: (() => void) | undefined
  const register: LeaseStore['register'] = async record => {
    stopJanitor ??= startJanitor({ db, leaseMs, evictions, others, background })
    return await store.register(record)
  }
  const times = { clock: systemClock, leaseMs, maxWaitMs: TIMEOUTS.lookup }
  const lease = createLease({ ...times, newId, background, store: { ...store, register } })
  return {
    keyLookup: createKeyLookup(lookups, lease, time.now),
    reads: createNodeReads(createDatabase(pool), direct),
    write: createWrite({ changes, bulkChanges }, createKeyTx(now)),
    confirm: createConfirm({ store: createConfirmationStore(direct, db), evictions, now: time.now, background }),
    readiness: async () => await readReadiness(lease, lookups),
    statistics: () => ({ epoch: lease.head(), leaseRemainingMs: lease.remaining() }),
    close: async () => {
      stopJanitor?.()
      await lease.close()
      await Promise.all([direct.close(), lookups.close(), closePool(changes), closePool(bulkChanges)])
    }
  }
}

const createKeyTx =
  (now: Now): KeyChangesOptions['createTx'] =>
  (db, attempt, outbox) => ({
    keys: createKeyRows(db, attempt, outbox),
    audits: createAuditRows(db, outbox),
    services: createServiceRows(db, attempt, outbox),
    now
  })

/** Creates the function that changes keys. Bulk changes have a connection of their own, which they may use for long. */
const createWrite = (
  { changes, bulkChanges }: Readonly<Record<'changes' | 'bulkChanges', Pool>>,
  createTx: KeyChangesOptions['createTx']
): ServiceStore['write'] => {
  const change = createKeyChanges({ pool: changes, limits: CHANGES, createTx })
  const changeInBulk = createKeyChanges({ pool: bulkChanges, limits: BULK_CHANGES, createTx, writesEarly: true })
  return async (work, options) =>
    options?.isBulk === true ? await changeInBulk(work, options) : await change(work, options)
}
