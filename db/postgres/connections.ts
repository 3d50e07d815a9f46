import { drizzle } from 'drizzle-orm/node-postgres'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { Client, Pool } from 'pg'
import { pathOf } from '../../paths.ts'
import { LOCK_SPACE, LOCKS } from './database.ts'
import { clientConfig, DEFAULT_POOL_SIZE, TIMEOUTS } from './settings.ts'
import type { PostgresOptions } from './settings.ts'

const MIGRATIONS = pathOf('db/postgres/migrations')
/** A migration may take long, and others wait for it. */
const MIGRATION_TIMEOUT_MS = 600_000
const IDLE_CONNECTION_MS = 30_000

/** Makes the pool of connections for everything but look-ups. It connects when something is asked. */
export const createPool = (options: PostgresOptions): Pool => {
  const pool = new Pool({
    ...clientConfig(options, false),
    max: options.poolSize ?? DEFAULT_POOL_SIZE,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    query_timeout: TIMEOUTS.query,
    pipeline: true
  })
  // A connection that is lost while nothing uses it is replaced by the next use.
  pool.on('error', () => {})
  return pool
}

/**
 * Brings the tables of a database up to date. Of several nodes that start at once, one does it and the others wait.
 * Throws where a version that is newer by more than one has changed them.
 */
export const bringUpToDate = async (options: PostgresOptions): Promise<void> => {
  const client = new Client({
    ...clientConfig(options, true),
    statement_timeout: MIGRATION_TIMEOUT_MS,
    lock_timeout: MIGRATION_TIMEOUT_MS,
    idle_in_transaction_session_timeout: MIGRATION_TIMEOUT_MS
  })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(`select pg_advisory_lock(${LOCK_SPACE}, ${LOCKS.migrations})`)
    await refuseMuchNewerSchema(client)
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS })
  } finally {
    await client.end()
  }
}

// One version ships at most one migration, which leaves the version before it working: nodes are replaced one by one.
const refuseMuchNewerSchema = async (client: Client): Promise<void> => {
  const { rows: tables } = await client.query<{ name: string | null }>(
    `select to_regclass('drizzle.__drizzle_migrations') as name`
  )
  if (tables[0]?.name === null) return
  const last = Math.max(...readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ folderMillis }) => folderMillis))
  const { rows } = await client.query('select 1 from drizzle.__drizzle_migrations where created_at > $1', [last])
  if (rows.length > 1) {
    throw new Error(
      'a much newer version of the program has changed its tables. Start that version. Nothing was changed.'
    )
  }
}
