import { and, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AuditCondition, AuditScope, SearchColumn, SearchOperator } from '../domain/audits/scope.ts'
import { toText } from './timestamps.ts'

// SQL conditions for both engines. The `case` keeps PostgreSQL from casting ids that aren't numbers.

/** Returns the statement that selects a scope's subjects, as `type` and `id`. */
export const subjectsOf = (scope: AuditScope): SQL =>
  scope.type === 'app'
    ? sql`select 'app' as type, cast(${scope.name} as text) as id`
    : sql`
      select 'organization' as type, cast(${String(scope.id)} as text) as id
      union all select 'app', apps.name from apps where apps.organization_id = ${scope.id}`

/**
 * Returns the condition that a row of `users` is the owner of the scope's app, or a member of the scope's organization.
 */
export const isUserOfScope = (scope: AuditScope): SQL =>
  scope.type === 'app'
    ? sql`exists (
        select 1 from apps left join memberships on memberships.organization_id = apps.organization_id
        where apps.name = ${scope.name} and (apps.user_id = users.id or memberships.user_id = users.id)
      )`
    : sql`exists (
        select 1 from memberships
        where memberships.organization_id = ${scope.id} and memberships.user_id = users.id
      )`

const COLUMNS: Readonly<Record<SearchColumn, SQL>> = {
  id: sql`audits.sequence`,
  user_id: sql`(case audits.actor_kind when 'user' then cast(audits.actor_id as bigint) end)`,
  created_at: sql`audits.at`
}

const OPERATORS: Readonly<Record<SearchOperator, SQL>> = {
  '=': sql`in`,
  IN: sql`in`,
  '!=': sql`<>`,
  '<>': sql`<>`,
  '<': sql`<`,
  '<=': sql`<=`,
  '>': sql`>`,
  '>=': sql`>=`
}

const meets = ({ column, operator, values }: AuditCondition): SQL => {
  const each = values.map(value => sql`${value instanceof Date ? toText(value) : value}`)
  return sql`${COLUMNS[column]} ${OPERATORS[operator]} (${sql.join(each, sql`, `)})`
}

export const meetsAll = (conditions: readonly AuditCondition[]): SQL => and(...conditions.map(meets)) ?? sql`1 = 1`
