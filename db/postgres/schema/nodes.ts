import { boolean, pgTable, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { integer, text } from './types.ts'

// One row for each change to a client key, in commit order. The nonce distinguishes histories, because the same epochs
// are assigned again after a backup is restored.
export const clientKeyChanges = pgTable(
  'client_key_changes',
  {
    epoch: integer('epoch').primaryKey(),
    nonce: uuid('nonce').notNull().defaultRandom(),
    keyId: text('key_id').notNull(),
    at: text('at').notNull()
  },
  table => [uniqueIndex('client_key_changes_nonce_unique').on(table.nonce)]
)

// The processes that cache keys. A change is acknowledged when each process has confirmed it or has lost its lease.
export const nodes = pgTable('nodes', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  version: text('version').notNull(),
  startedAt: text('started_at').notNull(),
  // The last change that the node has confirmed.
  acked: integer('acked').notNull(),
  leaseMs: integer('lease_ms').notNull(),
  // The generations of its secrets as a JSON array, the current one first. Null if its version doesn't report them.
  generations: text('generations'),
  // Whether its version applies changes to all keys, which have the key id `*` in the history.
  appliesBulkChanges: boolean('applies_bulk_changes').notNull().default(false),
  // When the node was evicted, because it hadn't confirmed a change in time. It must register again.
  evictedAt: text('evicted_at')
})
