import { systemClock } from '../../domain/keys/freshness/clock.ts'
import type { Clock } from '../../domain/keys/freshness/clock.ts'

/** An SQL expression for the database's current time, in milliseconds since 1970. */
export const DATABASE_TIME = 'extract(epoch from clock_timestamp())::float8 * 1000'

/** An SQL expression for the database's current time, in the format in which timestamps are stored. */
export const DATABASE_TIMESTAMP = `to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** The longest round trip for which the database's time is accurate enough. */
const MAX_ROUND_TRIP_MS = 100
const MAX_AGE_MS = 10_000

/** The database's clock: its time at the last query, plus the time since then on this process's monotonic clock. */
export interface DatabaseTime {
  /** Returns the time in milliseconds since 1970. */
  readonly now: () => number
  /** Sets the clock. `read` queries the database, and `timeOf` extracts the time from the result. */
  readonly set: <T>(read: () => Promise<T>, timeOf: (result: T) => number | undefined) => Promise<T>
}

/** Creates a database's clock. It returns this machine's time until the database is queried. */
export const createDatabaseTime = (clock: Clock = systemClock): DatabaseTime => {
  let offset = clock.wall() - clock.monotonic()
  let setAt = -Infinity

  return {
    now: () => clock.monotonic() + offset,
    set: async (read, timeOf) => {
      const sent = clock.monotonic()
      const result = await read()
      const received = clock.monotonic()
      const time = timeOf(result)
      const isGood = received - sent <= MAX_ROUND_TRIP_MS || received - setAt > MAX_AGE_MS
      if (time !== undefined && isGood) {
        offset = time - (sent + received) / 2
        setAt = received
      }
      return result
    }
  }
}
