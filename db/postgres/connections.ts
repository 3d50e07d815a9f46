import { setTimeout } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import type { ClientConfig, PoolConfig } from 'pg'
import { LOCK_SPACE, LOCKS } from './database.ts'
import { gatherWrites } from './gathering.ts'
import { hasMark, hasTable } from './marks.ts'
import { changesConfig, CHANGES, clientConfig, DEFAULT_POOL_SIZE, TIMEOUTS } from './settings.ts'
import type { ChangeLimits, PostgresOptions } from './settings.ts'
import { createDatabaseTime, DATABASE_TIME } from './time.ts'
import type { DatabaseTime } from './time.ts'
import { migrate, readVersion, refuseUnchangeable } from './versions.ts'

/** The timeout for migrations and copies, which may take a long time, and for processes that wait for them. */
const LONG_TIMEOUT_MS = 600_000
const IDLE_CONNECTION_MS = 30_000

/** The table that records the progress of a copy into this database. It exists until the copy is complete. */
export const COPY_PROGRESS = 'copy_progress'

/** Creates the connection pool for all queries that have no reserved pool. It connects when a query is sent. */
export const createPool = (options: PostgresOptions): Pool =>
  poolOf({
    ...clientConfig(options, false),
    max: options.poolSize ?? DEFAULT_POOL_SIZE,
    query_timeout: TIMEOUTS.query
  })

/** Creates a connection pool that is reserved for changes to keys with the given limits. */
export const createChangesPool = (options: PostgresOptions, limits: ChangeLimits): Pool => {
  // One connection stays open for changes to single keys, which must be fast.
  const min = limits === CHANGES ? 1 : 0
  const pool = poolOf({ ...changesConfig(options, limits), max: limits.connections, min })
  // Acknowledged changes must survive a crash, regardless of the server's default.
  pool.on('connect', client => {
    client.query('set synchronous_commit = on').catch(ignore)
  })
  return pool
}

const poolOf = (config: PoolConfig): Pool => {
  const pool = new Pool({ ...config, idleTimeoutMillis: IDLE_CONNECTION_MS, pipeline: true })
  // If an idle connection is lost, another one is opened when it's needed.
  pool.on('error', ignore)
  // If a connection is lost while it's in use, its queries fail. Without a listener, the error would terminate the
  // process.
  pool.on('connect', client => {
    client.on('error', ignore)
    gatherWrites(client)
  })
  return pool
}

/** Returns the options for a connection whose statements may take a long time. */
export const patientConfig = (options: PostgresOptions): ClientConfig => ({
  ...clientConfig(options, true),
  statement_timeout: LONG_TIMEOUT_MS,
  idle_in_transaction_session_timeout: LONG_TIMEOUT_MS
})

const ignore = (): void => {}

/** Closes a pool. If the database is down, doesn't wait for pending queries, which time out on their own. */
export const closePool = async (pool: Pool): Promise<void> => {
  await Promise.race([pool.end(), setTimeout(TIMEOUTS.connect, undefined, { ref: false })])
}

/**
 * Brings the database's tables up to date, sets `time` to the database's clock, and returns whether the database is
 * marked as sample data. Writes nothing if the tables are already up to date. If several nodes start at once, one of
 * them changes the tables and the others wait. `prepare` runs first, while no other process creates tables. By default,
 * it rejects a database with an incomplete copy. Throws an error if the role isn't allowed to make necessary changes,
 * or if a version that is more than one version newer has changed the tables.
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
  // Another node may have migrated in the meantime.
  await migrate(client, await readVersion(client))
}

/** Runs work on its own connection, whose statements may take a long time. */
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

// With only part of the data, a service would refuse valid keys and accept revoked ones.
const refuseUnfinishedCopy = async (client: Client): Promise<void> => {
  if (await hasTable(client, COPY_PROGRESS)) {
    throw new Error('a copy into it is incomplete. Run npm run db:copy again, or drop the database.')
  }
}
