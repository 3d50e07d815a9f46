import { DatabaseError } from 'pg'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { LOCK_NOT_AVAILABLE } from '../failures.ts'

// Usage counts are partitioned by day. The first process that counts on a day creates its partition. Functions that run
// as the owner of the tables create and drop partitions; see the migrations.

const TABLE = 'client_key_usage'

const partitionOf = (day: string): string => `${TABLE}_${day.replaceAll('-', '')}`

const PARTITIONS = `
  select from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = '${TABLE}'::regclass
`

// Doesn't use `to_regclass`, which may not see changes that were committed while its transaction waited for a lock.
const exists = async (db: PostgresDatabase, partition: string): Promise<boolean> =>
  (await query(db, `${PARTITIONS} and relname = $1`, [partition])).rowCount > 0

/** Creates a day's partition if it doesn't exist. Only other transactions that create a partition have to wait for this one. */
export const ensureDay = async (db: PostgresDatabase, day: string): Promise<void> => {
  const partition = partitionOf(day)
  if (await exists(db, partition)) return
  await lock(db, 'usageDays')
  if (await exists(db, partition)) return
  await query(db, 'select make_usage_day($1)', [day])
}

/** Drops the partitions for all earlier days, or none of them if one is in use. */
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
