import { setImmediate } from 'node:timers/promises'
import { and, asc, desc, gt, gte, lt, lte, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AuditFilter } from '../../../domain/audits/rows.ts'
import type { SqliteDatabase } from '../database.ts'
import { toText } from '../../timestamps.ts'
import { audits } from '../schema.ts'
import { duration, equalities, isBefore, others } from './conditions.ts'
import type { Condition } from './conditions.ts'

/** The number of entries that are read before other work gets its turn. */
const WINDOW = 1000
/** The maximum number of entries that are counted for each condition, to find the most selective one. */
const MAX_COUNTED = 10_000
/** The number of windows after which the search determines the bounds of the period. */
const WINDOWS_WITHOUT_BOUNDS = 10
/** The number of entries of the time index that are read before other work gets its turn. */
const TIMES = 10_000

type AuditRow = typeof audits.$inferSelect

interface Counted {
  readonly condition: Condition
  readonly entries: number
}

const fewer = (one: Counted, other: Counted): Counted => (other.entries < one.entries ? other : one)

/** The bounds of a period in the trail. They contain all of its entries, but may contain others too. */
interface Bounds {
  first: number
  last: number
}

/** The parameters of a search for at most `limit` entries that pass the filter and are older than `before`. */
interface Search {
  readonly filter: AuditFilter
  readonly limit: number
  readonly before: number
}

const count = (db: SqliteDatabase, condition: Condition): Counted => {
  const some = db
    .select({ one: sql`1` })
    .from(audits)
    .where(condition.indexed)
    .limit(MAX_COUNTED)
    .as('some')
  const counted = db
    .select({ entries: sql<number>`count(*)` })
    .from(some)
    .get()
  return { condition, entries: Number(counted?.entries) }
}

const newest = (db: SqliteDatabase, condition: SQL | undefined, limit: number): AuditRow[] =>
  db.select().from(audits).where(condition).orderBy(desc(audits.sequence)).limit(limit).all()

/** Returns the newest entries that match the condition. It reads all entries that match, so there must be few. */
const newestOfFew = (db: SqliteDatabase, condition: SQL | undefined, limit: number): AuditRow[] =>
  db
    .select()
    .from(audits)
    .where(condition)
    .orderBy(sql`+${audits.sequence} desc`)
    .limit(limit)
    .all()

/** Returns the bounds of a period in the trail. It reads the time index, one part at a time. */
const boundsOf = async (db: SqliteDatabase, { since, until }: AuditFilter): Promise<Bounds> => {
  const bounds: Bounds = { first: Number.MAX_SAFE_INTEGER, last: 0 }
  let from: SQL | undefined = gte(audits.at, since === undefined ? '' : toText(since))
  while (from !== undefined) {
    const end: string | undefined = db
      .select({ at: audits.at })
      .from(audits)
      .where(and(from, isBefore(until)))
      .orderBy(asc(audits.at))
      .limit(1)
      .offset(TIMES - 1)
      .get()?.at
    const part = db
      .select({
        first: sql<number>`coalesce(min(${audits.sequence}), ${bounds.first})`,
        last: sql<number>`coalesce(max(${audits.sequence}), 0)`
      })
      .from(audits)
      .where(and(from, end === undefined ? isBefore(until) : lte(audits.at, end)))
      .get()
    bounds.first = Math.min(bounds.first, Number(part?.first))
    bounds.last = Math.max(bounds.last, Number(part?.last))
    from = end === undefined ? undefined : gt(audits.at, end)
    await setImmediate()
  }
  return bounds
}

const windowEnd = (db: SqliteDatabase, one: Condition | undefined, top: number): number | undefined =>
  db
    .select({ sequence: audits.sequence })
    .from(audits)
    .where(and(one?.indexed, lt(audits.sequence, top)))
    .orderBy(desc(audits.sequence))
    .limit(1)
    .offset(WINDOW - 1)
    .get()?.sequence

/**
 * Reads the entries that match `one`, or the whole trail if it's undefined, one window at a time. Returns the entries
 * that also match the other conditions.
 */
const walk = async (
  db: SqliteDatabase,
  { filter, limit, before }: Search,
  one: Condition | undefined,
  rest: readonly (SQL | undefined)[]
): Promise<AuditRow[]> => {
  const isTimed = filter.since !== undefined || filter.until !== undefined
  const found: AuditRow[] = []
  let bounds: Bounds = { first: 0, last: Infinity }
  let top: number | null = before
  for (let windows = 1; top !== null; windows++) {
    const end = windowEnd(db, one, top)
    const window = and(one?.indexed, lt(audits.sequence, top), gte(audits.sequence, end ?? 0), ...rest)
    found.push(...newest(db, window, limit - found.length))
    await setImmediate()
    if (isTimed && windows === WINDOWS_WITHOUT_BOUNDS) bounds = await boundsOf(db, filter)
    const isOver = found.length === limit || end === undefined || end <= bounds.first
    top = isOver ? null : Math.min(end, bounds.last + 1)
  }
  return found
}

/**
 * Finds the newest entries that match the search.
 *
 * If there are several conditions, it uses the index of the condition that the fewest entries match, and checks the
 * other conditions on those entries: all at once if there are few, or in windows if there are many, so that the event
 * loop isn't blocked even if no entry matches.
 */
export const searchAudits = async (db: SqliteDatabase, search: Search): Promise<AuditRow[]> => {
  const { filter, limit, before } = search
  const inOrder = equalities(filter)
  const conditions = [...inOrder, ...duration(filter)]
  if (conditions.length === inOrder.length && inOrder.length < 2) {
    return newest(db, and(lt(audits.sequence, before), inOrder[0]?.indexed), limit)
  }
  const counted = conditions.map(condition => count(db, condition))
  const { condition, entries } = counted.reduce(fewer)
  if (entries < WINDOW) {
    const few = and(condition.indexed, sql`+${audits.sequence} < ${before}`, ...others(conditions, condition))
    return newestOfFew(db, few, limit)
  }
  const [first, ...more] = counted.filter(each => inOrder.includes(each.condition))
  const one = first === undefined ? undefined : more.reduce(fewer, first).condition
  return await walk(db, search, one, others(conditions, one))
}
