import { index, pgTable, timestamp } from 'drizzle-orm/pg-core'
import { integer, text } from './types.ts'

/**
 * How often each limited key was hit in its window. The migration makes the table UNLOGGED: a crash of the server
 * empties it, and no hit waits for a disk, whatever `synchronous_commit` is.
 */
export const rateCounters = pgTable(
  'rate_counters',
  {
    key: text('key').primaryKey(),
    hits: integer('hits').notNull(),
    startedAt: timestamp('started_at', { withTimezone: true }).notNull(),
    // It stays the same as long as a window runs, so that a hit changes no index.
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull()
  },
  table => [index('rate_counters_expires_at').on(table.expiresAt)]
)
