import type { Test } from 'tap'
import type { Pool, PoolClient } from 'pg'
import { bringUpToDate, createPool } from '../db/postgres/connections.ts'
import { createAuditReads, createAuditRows } from '../db/postgres/audits/rows.ts'
import { createDatabase } from '../db/postgres/database.ts'
import { createKeyReads } from '../db/postgres/keys/reads.ts'
import { createKeyRows } from '../db/postgres/keys/rows.ts'
import { createPostgresTransactor } from '../db/postgres/transactor.ts'
import { need } from './helper.ts'
import { postgresDatabase } from './postgres.ts'

/** Opens a new database, without the rows of anything but keys and audits. */
export const openKeyStore = async (t: Test) => {
  const url = need((await postgresDatabase(t)) ?? undefined, 'a PostgreSQL')
  await bringUpToDate({ url })
  const pool = createPool({ url })
  t.teardown(async () => {
    await pool.end()
  })
  const rowsOf = (client: Pool | PoolClient) => {
    const db = createDatabase(client)
    return { db, keys: createKeyRows(db), audits: createAuditRows(db) }
  }
  const db = createDatabase(pool)
  return {
    pool,
    url,
    ...createPostgresTransactor({
      pool,
      rows: { keys: createKeyReads(db), audits: createAuditReads(db) },
      createTx: rowsOf
    })
  }
}
