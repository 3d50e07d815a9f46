import { getTableConfig } from 'drizzle-orm/pg-core'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { ColumnKind, CopyTable } from '../../copy.ts'
import * as schema from '../schema.ts'

// Each table comes after the tables that it refers to. Revocations come first, before any table that gives access.
const ORDER: readonly PgTable[] = [
  schema.environmentKeyRevocations,
  schema.secretGenerations,
  schema.users,
  schema.organizations,
  schema.memberships,
  schema.apps,
  schema.grants,
  schema.tags,
  schema.services,
  schema.clientKeys,
  schema.clientKeyTokens,
  schema.environmentKeyUses,
  schema.clientKeyUsage,
  schema.clientKeyAttempts,
  schema.sessions,
  schema.userPlaces,
  schema.audits
]

const KINDS: Readonly<Record<string, ColumnKind>> = { bigint: 'integer', boolean: 'boolean', bytea: 'digest' }

const toCopyTable = (table: PgTable): CopyTable => {
  const { name, columns, primaryKeys } = getTableConfig(table)
  const key: readonly PgColumn[] = primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary)
  return {
    name,
    columns: columns.map(column => ({ name: column.name, kind: KINDS[column.getSQLType()] ?? 'text' })),
    key: key.map(column => column.name)
  }
}

/** The tables to copy row by row, in this order. */
export const COPY_TABLES: readonly CopyTable[] = ORDER.map(toCopyTable)
