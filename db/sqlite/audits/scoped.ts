import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AuditScope, ScopedAuditReads } from '../../../domain/audits/scope.ts'
import { createScopedAuditReads as createReads } from '../../scoped-audits.ts'
import type { SqliteDatabase } from '../database.ts'

export const createScopedAuditReads = (db: SqliteDatabase): ScopedAuditReads =>
  createReads({
    rows: async <Row>(statement: SQL) => db.all<Row>(statement),
    window: 2000,
    isInScope,
    // SQLite doesn't reorder the tables of a cross join.
    join: sql`cross join`
  })

// Checks each entry separately, because a list of all apps would be rebuilt for each window.
const isInScope = (scope: AuditScope): SQL =>
  scope.type === 'app'
    ? sql`audits.subject_type = 'app' and audits.subject_id = ${scope.name}`
    : sql`case audits.subject_type
        when 'organization' then audits.subject_id = ${String(scope.id)}
        when 'app' then exists (
          select 1 from apps where apps.name = audits.subject_id and apps.organization_id = ${scope.id}
        )
        else 1 = 0
      end`
