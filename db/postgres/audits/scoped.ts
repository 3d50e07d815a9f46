import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ScopedAuditReads } from '../../../domain/audits/scope.ts'
import { subjectsOf } from '../../scoped-audit-conditions.ts'
import { createScopedAuditReads as createReads } from '../../scoped-audits.ts'
import { rowsOf } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'

export const createScopedAuditReads = (db: PostgresDatabase): ScopedAuditReads =>
  createReads({
    rows: async <Row>(statement: SQL) => await rowsOf<Row>(db, statement),
    window: 100_000,
    // Uses one list for all entries of a window. With a subquery for each entry, PostgreSQL would JIT-compile the
    // statement.
    isInScope: scope => sql`(audits.subject_type, audits.subject_id) in (${subjectsOf(scope)})`,
    join: sql`join`
  })
