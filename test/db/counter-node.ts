import pg from 'pg'
import type { Test } from 'tap'
import { createPostgresCounters } from '../../db/postgres/limits.ts'
import type { PostgresCounters } from '../../db/postgres/limits.ts'

export interface CounterNode extends PostgresCounters {
  readonly pool: pg.Pool
}

/** Creates counters with a separate connection pool, as each node has. */
export const counterNode = (t: Test, url: string): CounterNode => {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  t.teardown(async () => {
    await pool.end()
  })
  return { pool, ...createPostgresCounters(async (text, values) => await pool.query(text, values)) }
}
