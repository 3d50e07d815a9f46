import { and, desc, eq, gte, lt, lte, max } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AuditFilter } from '../../../domain/audits/rows.ts'
import type { AuditRow } from '../../audit-records.ts'
import { toText } from '../../timestamps.ts'
import type { PostgresDatabase } from '../database.ts'
import { audits } from '../schema.ts'

/** The number of entries that a statement searches. This limits how long it takes, even for a long trail. */
const WINDOW = 100_000

/** The parameters of a search for at most `limit` entries that pass the filter and are older than `before`. */
interface Search {
  readonly filter: AuditFilter
  readonly limit: number
  readonly before: number
}

type Column = (typeof audits)['subjectType' | 'subjectId' | 'actorId' | 'actorKind' | 'action']

const equals = (column: Column, value: string | undefined): SQL | undefined =>
  value === undefined ? undefined : eq(column, value)

const matches = (filter: AuditFilter): SQL | undefined =>
  and(
    equals(audits.subjectType, filter.subjectType),
    equals(audits.subjectId, filter.subjectId),
    equals(audits.actorKind, filter.actorKind),
    equals(audits.actorId, filter.actorId),
    equals(audits.action, filter.action),
    filter.since === undefined ? undefined : gte(audits.at, toText(filter.since)),
    filter.until === undefined ? undefined : lt(audits.at, toText(filter.until))
  )

/** Returns the largest sequence number below the given one, or null if there is none. Forged entries may leave gaps. */
const newestBelow = async (db: PostgresDatabase, sequence: number): Promise<number | null> => {
  const below = lt(audits.sequence, sequence)
  const [newest] = await db
    .select({ last: max(audits.sequence) })
    .from(audits)
    .where(below)
  return newest?.last ?? null
}

/** Finds the newest entries that match the search. It reads the trail backwards, one window at a time. */
export const searchAudits = async (db: PostgresDatabase, { filter, limit, before }: Search): Promise<AuditRow[]> => {
  const found: AuditRow[] = []
  const condition = matches(filter)
  let last = await newestBelow(db, before)
  while (last !== null && found.length < limit) {
    const first = last - WINDOW + 1
    const rows = await db
      .select()
      .from(audits)
      .where(and(lte(audits.sequence, last), gte(audits.sequence, first), condition))
      .orderBy(desc(audits.sequence))
      .limit(limit - found.length)
    found.push(...rows)
    last = found.length < limit ? await newestBelow(db, first) : null
  }
  return found
}
