import pg from 'pg'
import type { Test } from 'tap'
import { createPostgresCounters } from '../../db/postgres/limits.ts'
import type { PostgresCounters } from '../../db/postgres/limits.ts'
import { execute } from '../postgres.ts'

const TABLE = `
create unlogged table rate_counters (
  key text collate "C" primary key,
  hits bigint not null,
  started_at timestamptz not null,
  expires_at timestamptz not null
) with (fillfactor = 50);
create index rate_counters_expires_at on rate_counters (expires_at);`

export interface CounterNode extends PostgresCounters {
  readonly pool: pg.Pool
}

/** Makes the table of counters in a database. */
export const makeCounterTable = async (url: string): Promise<void> => {
  await execute(url, TABLE)
}

/** Counters over connections of their own, as every node has them. */
export const counterNode = (t: Test, url: string): CounterNode => {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  t.teardown(async () => {
    await pool.end()
  })
  return { pool, ...createPostgresCounters(async (text, values) => await pool.query(text, values)) }
}
