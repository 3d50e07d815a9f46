import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ScopedAuditReads } from '../../../domain/audits/scope.ts'
import { createScopedAuditReads as createReads } from '../../scoped-audits.ts'
import { rowsOf } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'

export const createScopedAuditReads = (db: PostgresDatabase): ScopedAuditReads =>
  createReads({
    rows: async <Row>(statement: SQL) => await rowsOf<Row>(db, statement),
    window: 100_000,
    join: sql`join`
  })
