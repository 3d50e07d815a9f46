import { pgTable, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { integer, text } from './types.ts'

// A row for each change of a client key, in the order in which the changes were committed. The nonce tells histories
// apart: a restored backup gives the same epochs again.
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

// The processes that remember keys: a change is acknowledged when each of them has confirmed it, or its lease is over.
export const nodes = pgTable('nodes', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  version: text('version').notNull(),
  startedAt: text('started_at').notNull(),
  // The last change that the node has confirmed.
  acked: integer('acked').notNull(),
  leaseMs: integer('lease_ms').notNull(),
  // Those of the secrets that it has, as a JSON array, the current one first; null: its version does not tell them.
  generations: text('generations'),
  // When it was found not to confirm in time; such a node has to register again.
  evictedAt: text('evicted_at')
})
