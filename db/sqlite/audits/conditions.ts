import { and, eq, gte, lt, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AuditFilter } from '../../../domain/audits/rows.ts'
import { toText } from '../../timestamps.ts'
import { audits } from '../schema.ts'

/** A condition that has its own index. `unindexed` is equivalent, but prevents SQLite from using that index. */
export interface Condition {
  readonly indexed: SQL | undefined
  readonly unindexed: SQL | undefined
}

type Column = (typeof audits)['subjectType' | 'subjectId' | 'actorId' | 'actorKind' | 'action']

// SQLite uses no index for a term with a unary plus: https://www.sqlite.org/optoverview.html
const equals = (column: Column, value: string | undefined): Condition[] =>
  value === undefined ? [] : [{ indexed: eq(column, value), unindexed: sql`+${column} = ${value}` }]

/** Returns the conditions whose indexes are ordered by sequence. */
export const equalities = ({ subjectType, subjectId, actorId, actorKind, action }: AuditFilter): Condition[] => {
  const subject = [...equals(audits.subjectType, subjectType), ...equals(audits.subjectId, subjectId)]
  return [
    ...(subject.length < 2
      ? subject
      : [
          {
            indexed: and(...subject.map(({ indexed }) => indexed)),
            unindexed: and(...subject.map(({ unindexed }) => unindexed))
          }
        ]),
    ...equals(audits.actorId, actorId),
    ...equals(audits.action, action),
    ...equals(audits.actorKind, actorKind)
  ]
}

export const isBefore = (until: Date | undefined): SQL | undefined =>
  until === undefined ? undefined : lt(audits.at, toText(until))

/** Returns the condition on time, whose index is ordered by time. */
export const duration = ({ since, until }: AuditFilter): Condition[] =>
  since === undefined && until === undefined
    ? []
    : [
        {
          indexed: and(since === undefined ? undefined : gte(audits.at, toText(since)), isBefore(until)),
          unindexed: and(
            since === undefined ? undefined : sql`+${audits.at} >= ${toText(since)}`,
            until === undefined ? undefined : sql`+${audits.at} < ${toText(until)}`
          )
        }
      ]

export const others = (conditions: readonly Condition[], one: Condition | undefined): (SQL | undefined)[] =>
  conditions.filter(condition => condition !== one).map(({ unindexed }) => unindexed)
