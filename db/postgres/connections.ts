import { setTimeout } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import type { ClientConfig, PoolConfig } from 'pg'
import { LOCK_SPACE, LOCKS } from './database.ts'
import { gatherWrites } from './gathering.ts'
import { hasMark, hasTable } from './marks.ts'
import { changesConfig, CHANGES, clientConfig, DEFAULT_POOL_SIZE, TIMEOUTS } from './settings.ts'
import type { PostgresOptions } from './settings.ts'
import { createDatabaseTime, DATABASE_TIME } from './time.ts'
import type { DatabaseTime } from './time.ts'
import { migrate, readVersion, refuseUnchangeable } from './versions.ts'

/** A migration may take long, and others wait for it; so may a copy. */
const LONG_TIMEOUT_MS = 600_000
const IDLE_CONNECTION_MS = 30_000

/** The table that tells how far a copy into this database is; it is there until the copy is complete. */
export const COPY_PROGRESS = 'copy_progress'

/** Creates the pool of connections for everything that has none of its own. It connects when something is asked. */
export const createPool = (options: PostgresOptions): Pool =>
  poolOf({
    ...clientConfig(options, false),
    max: options.poolSize ?? DEFAULT_POOL_SIZE,
    query_timeout: TIMEOUTS.query
  })

/** Creates the pool of connections for changes of keys, which nothing else takes. One of them stays connected. */
export const createChangesPool = (options: PostgresOptions): Pool => {
  const pool = poolOf({ ...changesConfig(options), max: CHANGES.connections, min: 1 })
  // What was acknowledged survives a crash, whatever the server does by default.
  pool.on('connect', client => {
    client.query('set synchronous_commit = on').catch(ignore)
  })
  return pool
}

const poolOf = (config: PoolConfig): Pool => {
  const pool = new Pool({ ...config, idleTimeoutMillis: IDLE_CONNECTION_MS, pipeline: true })
  // A connection that is lost while nothing uses it is replaced by the next use.
  pool.on('error', ignore)
  // While it is used, whoever uses it is told by what it asks; nobody else would hear of it, and the process would end.
  pool.on('connect', client => {
    client.on('error', ignore)
    gatherWrites(client)
  })
  return pool
}

/** What a connection is made with that may do what takes long. */
export const patientConfig = (options: PostgresOptions): ClientConfig => ({
  ...clientConfig(options, true),
  statement_timeout: LONG_TIMEOUT_MS,
  idle_in_transaction_session_timeout: LONG_TIMEOUT_MS
})

const ignore = (): void => {}

/** Closes a pool. What still waits then for a database that is away is left to its time-out. */
export const closePool = async (pool: Pool): Promise<void> => {
  await Promise.race([pool.end(), setTimeout(TIMEOUTS.connect, undefined, { ref: false })])
}

/**
 * Brings the tables of a database up to date, sets `time` by the clock of the database, and returns whether it is
 * marked as sample data. A database that is up to date is only read. Of several nodes that start at once, one changes
 * the tables and the others wait. `prepare` runs first, while nobody else creates tables; by default it refuses a
 * database into which a copy is not complete. Throws if the role may not change what has to be changed, and if a
 * version that is newer by more than one has.
 */
export const bringUpToDate = async (
  options: PostgresOptions,
  prepare: (client: Client) => Promise<void> = refuseUnfinishedCopy,
  time: Pick<DatabaseTime, 'set'> = createDatabaseTime()
): Promise<{ isSample: boolean }> =>
  await withPatientClient(options, async client => {
    const found = await readVersion(client)
    refuseUnchangeable(found)
    if (found.missing.length === 0) await prepare(client)
    else await migrateAlone(client, prepare)
    await setTime(client, time)
    return { isSample: await hasMark(client, 'sample') }
  })

const setTime = async (client: Client, { set }: Pick<DatabaseTime, 'set'>): Promise<void> => {
  const read = async () => await client.query<{ time: number }>(`select ${DATABASE_TIME} as time`)
  await set(read, ({ rows }) => rows[0]?.time)
}

const migrateAlone = async (client: Client, prepare: (client: Client) => Promise<void>): Promise<void> => {
  await client.query(`select pg_advisory_lock(${LOCK_SPACE}, ${LOCKS.migrations})`)
  await prepare(client)
  // Another node may have migrated meanwhile.
  await migrate(client, await readVersion(client))
}

/** Runs work on a connection of its own, which may wait for long. */
export const withPatientClient = async <T>(
  options: PostgresOptions,
  work: (client: Client) => Promise<T>
): Promise<T> => {
  const client = new Client({ ...patientConfig(options), lock_timeout: LONG_TIMEOUT_MS })
  client.on('error', ignore)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

// Who served from half a database would refuse keys that are good, and accept some that were revoked.
const refuseUnfinishedCopy = async (client: Client): Promise<void> => {
  if (await hasTable(client, COPY_PROGRESS)) {
    throw new Error('a copy into it is not complete. Run npm run db:copy again, or drop the database.')
  }
}
