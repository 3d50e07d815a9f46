import { systemClock } from '../../domain/keys/freshness/clock.ts'
import type { Clock } from '../../domain/keys/freshness/clock.ts'

/** The time of a database, in milliseconds since 1970, as a statement reads it. */
export const DATABASE_TIME = 'extract(epoch from clock_timestamp())::float8 * 1000'

/** The time of a database, as instants are stored. */
export const DATABASE_INSTANT = `to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** A round trip that takes longer tells little of the time at its other end. */
const MAX_ROUND_TRIP_MS = 100
const MAX_AGE_MS = 10_000

/** The clock of the database: its time when it was last asked, and what has passed since by the monotonic clock. */
export interface DatabaseTime {
  /** In milliseconds since 1970. */
  readonly now: () => number
  /** Asks the database: `read` resolves to its time. */
  readonly set: <T>(read: () => Promise<T>, timeOf: (result: T) => number | undefined) => Promise<T>
}

/** Creates the clock of a database. It is that of the machine until the database is asked. */
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
