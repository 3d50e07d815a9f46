import { index, pgTable, timestamp } from 'drizzle-orm/pg-core'
import { integer, text } from './types.ts'

/**
 * The number of hits in the current window, for each key with a rate limit. The migration creates the table as
 * UNLOGGED: a crash of the server empties it, and hits don't wait for the disk, regardless of `synchronous_commit`.
 */
export const rateCounters = pgTable(
  'rate_counters',
  {
    key: text('key').primaryKey(),
    hits: integer('hits').notNull(),
    startedAt: timestamp('started_at', { withTimezone: true }).notNull(),
    // Constant for the duration of a window, so that a hit doesn't update the index.
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull()
  },
  table => [index('rate_counters_expires_at').on(table.expiresAt)]
)
