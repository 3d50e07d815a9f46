import { setTimeout } from 'node:timers/promises'
import { drizzle } from 'drizzle-orm/node-postgres'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { Client, Pool } from 'pg'
import type { ClientConfig, PoolConfig } from 'pg'
import { pathOf } from '../../paths.ts'
import { LOCK_SPACE, LOCKS } from './database.ts'
import { gatherWrites } from './gathering.ts'
import { hasMark, hasTable } from './marks.ts'
import { changesConfig, CHANGES, clientConfig, DEFAULT_POOL_SIZE, TIMEOUTS } from './settings.ts'
import type { PostgresOptions } from './settings.ts'

const MIGRATIONS = pathOf('db/postgres/migrations')
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
 * Brings the tables of a database up to date, and returns whether it is marked as sample data. Of several nodes that
 * start at once, one does it and the others wait. `prepare` runs first, while nobody else makes tables; by default it
 * refuses a database into which a copy is not complete. Throws where a version that is newer by more than one has
 * changed the tables.
 */
export const bringUpToDate = async (
  options: PostgresOptions,
  prepare: (client: Client) => Promise<void> = refuseUnfinishedCopy
): Promise<{ isSample: boolean }> => {
  const client = new Client({ ...patientConfig(options), lock_timeout: LONG_TIMEOUT_MS })
  client.on('error', ignore)
  await client.connect()
  try {
    await client.query(`select pg_advisory_lock(${LOCK_SPACE}, ${LOCKS.migrations})`)
    await prepare(client)
    await refuseMuchNewerSchema(client)
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS })
    return { isSample: await hasMark(client, 'sample') }
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

// One version ships at most one migration, which leaves the version before it working: nodes are replaced one by one.
const refuseMuchNewerSchema = async (client: Client): Promise<void> => {
  if (!(await hasTable(client, 'drizzle.__drizzle_migrations'))) return
  const last = Math.max(...readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ folderMillis }) => folderMillis))
  const { rows } = await client.query('select 1 from drizzle.__drizzle_migrations where created_at > $1', [last])
  if (rows.length > 1) {
    throw new Error(
      'a much newer version of the program has changed its tables. Start that version. Nothing was changed.'
    )
  }
}
