import type { Test } from 'tap'
import type { PoolClient } from 'pg'
import { openStorage } from '../../db/open.ts'
import { createAppReads } from '../../db/postgres/apps/reads.ts'
import { createAppRows } from '../../db/postgres/apps/rows.ts'
import { bringUpToDate, createPool } from '../../db/postgres/connections.ts'
import { createDatabase } from '../../db/postgres/database.ts'
import { createOrganizationReads, createOrganizationRows } from '../../db/postgres/organizations/rows.ts'
import { createPostgresTransactor } from '../../db/postgres/transactor.ts'
import { createUserReads } from '../../db/postgres/users/reads.ts'
import { createUserRows } from '../../db/postgres/users/rows.ts'
import type { Storage } from '../../db/storage.ts'
import type { AuditRows } from '../../domain/audits/rows.ts'
import type { Reads, Transactor, Tx } from '../../domain/transactor.ts'
import { at, need, settings } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import type { AppStore } from './app-rows.ts'

/** Opens a new SQLite database, closed when the test ends. */
export const sqlite = async (t: Test): Promise<Storage> => {
  const storage = await openStorage(settings(t).env.DATABASE_URL)
  t.teardown(storage.close)
  return storage
}

/** Opens a new PostgreSQL database, closed and dropped when the test ends; there must be a server. */
export const postgres = async (t: Test): Promise<AppStore> => {
  const url = await newPostgres(t)
  return {
    ...connectPostgres(t, url),
    skipPorts: async last => {
      await execute(url, `update app_port_counter set last = ${last}`)
    }
  }
}

/** The URL of a new PostgreSQL database with its tables, dropped when the test ends; there must be a server. */
export const newPostgres = async (t: Test): Promise<string> => {
  const url = need((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')
  await bringUpToDate({ url })
  return url
}

/** Connects once more to a PostgreSQL database, as another node does. */
export const connectPostgres = (t: Test, url: string, poolSize?: number): Transactor => {
  const pool = createPool({ url, poolSize })
  t.teardown(async () => {
    await pool.end()
  })
  const reading = createDatabase(pool)
  const rows = {
    ...({} as Reads),
    apps: createAppReads(reading),
    organizations: createOrganizationReads(reading),
    users: createUserReads(reading)
  }
  const createTx = (client: PoolClient) => {
    const writing = createDatabase(client)
    return {
      ...({} as Tx),
      apps: createAppRows(writing),
      audits: createAudits(client),
      organizations: createOrganizationRows(writing),
      users: createUserRows(writing)
    }
  }
  return createPostgresTransactor({ pool, rows, createTx })
}

const createAudits = (client: PoolClient): AuditRows => ({
  ...({} as AuditRows),
  lockHead: async () => {
    const { rows } = await client.query<[string, string]>({
      text: 'select sequence, hash from audit_head for no key update',
      rowMode: 'array'
    })
    const [sequence, hash] = at(rows)
    return { sequence: Number(sequence), hash }
  },
  append: async ({ sequence, at: instant, action, subject, previousHash, hash, changes }) => {
    await client.query(`insert into audits values ($1, $2, '', '', '', $3, $4, $5, $6, null, null, $7, $8)`, [
      sequence,
      instant.toISOString(),
      action,
      subject.type,
      subject.id,
      changes,
      previousHash,
      hash
    ])
  }
})
