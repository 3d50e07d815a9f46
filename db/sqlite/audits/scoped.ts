import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ScopedAuditReads } from '../../../domain/audits/scope.ts'
import { createScopedAuditReads as createReads } from '../../scoped-audits.ts'
import type { SqliteDatabase } from '../database.ts'

// SQLite keeps the order of the tables of a cross join.
export const createScopedAuditReads = (db: SqliteDatabase): ScopedAuditReads =>
  createReads({ rows: async <Row>(statement: SQL) => db.all<Row>(statement), window: 5000, join: sql`cross join` })
