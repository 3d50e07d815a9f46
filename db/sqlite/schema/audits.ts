import { sql } from 'drizzle-orm'
import { check, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

// Append-only: triggers in the migration reject every other change.
export const audits = sqliteTable(
  'audits',
  {
    sequence: integer('sequence').primaryKey({ autoIncrement: true }),
    at: text('at').notNull(),
    actorKind: text('actor_kind').notNull(),
    actorId: text('actor_id').notNull(),
    actorName: text('actor_name').notNull(),
    action: text('action').notNull(),
    subjectType: text('subject_type').notNull(),
    subjectId: text('subject_id').notNull(),
    changes: text('changes').notNull(),
    address: text('address'),
    requestId: text('request_id'),
    previousHash: text('previous_hash').notNull(),
    hash: text('hash').notNull()
  },
  table => [
    // Every filter of the trail except time has an index in the order of the trail.
    index('audits_subject').on(table.subjectType, table.subjectId, table.sequence),
    index('audits_subject_type').on(table.subjectType, table.sequence),
    index('audits_subject_id').on(table.subjectId, table.sequence),
    index('audits_actor').on(table.actorId, table.sequence),
    index('audits_actor_kind').on(table.actorKind, table.sequence),
    index('audits_action').on(table.action, table.sequence),
    index('audits_at').on(table.at),
    check('audits_changes_json', sql`json_valid(${table.changes})`)
  ]
)

// A single row with the last entry that was appended. It's updated for every entry, so writers wait for each other
// there.
export const auditHead = sqliteTable('audit_head', {
  id: integer('id').primaryKey(),
  sequence: integer('sequence').notNull(),
  hash: text('hash').notNull()
})
