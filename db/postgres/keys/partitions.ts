import { DatabaseError } from 'pg'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { LOCK_NOT_AVAILABLE } from '../failures.ts'

// Counts of use are partitioned by day. A partition is made by whoever first counts on its day, and functions of the
// owner of the tables create and drop partitions: see the migrations.

const TABLE = 'client_key_usage'

const partitionOf = (day: string): string => `${TABLE}_${day.replaceAll('-', '')}`

const PARTITIONS = `
  select from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = '${TABLE}'::regclass
`

// Not `to_regclass`, which may not see yet what was committed while its transaction waited for a lock.
const exists = async (db: PostgresDatabase, partition: string): Promise<boolean> =>
  (await query(db, `${PARTITIONS} and relname = $1`, [partition])).rowCount > 0

/** Makes the partition of a day where there is none. It holds up nobody but who wants to make one as well. */
export const ensureDay = async (db: PostgresDatabase, day: string): Promise<void> => {
  const partition = partitionOf(day)
  if (await exists(db, partition)) return
  await lock(db, 'usageDays')
  if (await exists(db, partition)) return
  await query(db, 'select make_usage_day($1)', [day])
}

/** Drops the partitions of earlier days; while one of them is in use, none. */
export const dropDaysBefore = async (db: PostgresDatabase, day: string): Promise<void> => {
  if ((await query(db, `${PARTITIONS} and relname < $1`, [partitionOf(day)])).rowCount === 0) return
  await query(db, 'savepoint drop_days')
  try {
    await query(db, 'select drop_usage_days($1)', [day])
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error
    await query(db, 'rollback to savepoint drop_days')
  }
}
