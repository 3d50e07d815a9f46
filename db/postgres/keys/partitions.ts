import { dayBefore } from '../../../domain/keys/usage/writer.ts'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { TIMEOUTS } from '../settings.ts'

// Counts of use are partitioned by day. A partition is made by whoever first counts on its day.

const TABLE = 'client_key_usage'

/** Others can't count while a partition waits to be dropped: so that is given up early. */
const DROP_TIMEOUT_MS = 200

const partitionOf = (day: string): string => `${TABLE}_${day.replaceAll('-', '')}`

const PARTITIONS = `
  select inhrelid::regclass::text as name from pg_inherits join pg_class on pg_class.oid = inhrelid
  where inhparent = '${TABLE}'::regclass
`

// Not `to_regclass`, which may not see yet what was committed while its transaction waited for a lock.
const exists = async (db: PostgresDatabase, partition: string): Promise<boolean> =>
  (await query(db, `${PARTITIONS} and relname = $1`, [partition])).rows.length > 0

/** Makes the partition of a day where there is none. It holds up nobody but who wants to make one as well. */
export const ensureDay = async (db: PostgresDatabase, day: string): Promise<void> => {
  const partition = partitionOf(day)
  if (await exists(db, partition)) return
  await lock(db, 'usageDays')
  if (await exists(db, partition)) return
  const next = dayBefore(new Date(day), -1)
  await query(
    db,
    `create table ${partition} (like ${TABLE} including all);
    alter table ${TABLE} attach partition ${partition} for values from ('${day}') to ('${next}')`
  )
}

/** Drops the partitions of earlier days, those that are in use excepted. */
export const dropDaysBefore = async (db: PostgresDatabase, day: string): Promise<void> => {
  const { rows } = await query(db, `${PARTITIONS} and relname < $1`, [partitionOf(day)])
  if (rows.length === 0) return
  await query(db, 'savepoint drop_days')
  try {
    await query(
      db,
      `set local lock_timeout = ${DROP_TIMEOUT_MS};
      drop table if exists ${rows.map(({ name }) => String(name)).join(', ')};
      set local lock_timeout = ${TIMEOUTS.lock}`
    )
  } catch {
    await query(db, 'rollback to savepoint drop_days')
  }
}
