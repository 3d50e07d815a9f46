import { setImmediate } from 'node:timers/promises'
import { and, asc, desc, eq, gt, gte, lt, lte, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AuditFilter } from '../../domain/audits/store.ts'
import type { SqliteDatabase } from './database.ts'
import { attempt } from './failures.ts'
import { audits } from './schema.ts'

/** How many entries are read before other work gets its turn. */
const WINDOW = 1000
/** So many entries that pass a condition are counted at most, to find the condition that the fewest pass. */
const MOST_COUNTED = 10_000
/** After so many windows it pays to find out which part of the trail a time is in. */
const WINDOWS_WITHOUT_BOUNDS = 10
/** How many times of the index are read before other work gets its turn. */
const TIMES = 10_000

type AuditRow = typeof audits.$inferSelect

/** A condition that has an index of its own; `unindexed` says the same and keeps SQLite from using that index. */
interface Condition {
  readonly indexed: SQL | undefined
  readonly unindexed: SQL | undefined
}

type Column = (typeof audits)['subjectType' | 'subjectId' | 'actorId' | 'actorKind' | 'action']

// SQLite looks for no index for a term with a unary plus: https://www.sqlite.org/optoverview.html
const equals = (column: Column, value: string | undefined): Condition[] =>
  value === undefined ? [] : [{ indexed: eq(column, value), unindexed: sql`+${column} = ${value}` }]

/** The conditions that an index answers in the order of the sequence. */
const equalities = ({ subjectType, subjectId, actorId, actorKind, action }: AuditFilter): Condition[] => {
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

const isBefore = (until: string | undefined): SQL | undefined =>
  until === undefined ? undefined : lt(audits.at, until)

/** The condition of time, which an index answers in the order of time. */
const duration = ({ since, until }: AuditFilter): Condition[] =>
  since === undefined && until === undefined
    ? []
    : [
        {
          indexed: and(since === undefined ? undefined : gte(audits.at, since), isBefore(until)),
          unindexed: and(
            since === undefined ? undefined : sql`+${audits.at} >= ${since}`,
            until === undefined ? undefined : sql`+${audits.at} < ${until}`
          )
        }
      ]

const others = (conditions: readonly Condition[], one: Condition | undefined): (SQL | undefined)[] =>
  conditions.filter(condition => condition !== one).map(({ unindexed }) => unindexed)

interface Counted {
  readonly condition: Condition
  readonly entries: number
}

const fewer = (one: Counted, other: Counted): Counted => (other.entries < one.entries ? other : one)

/** Where in the trail a stretch of time is: its entries are between these two, but not all between them are of it. */
interface Bounds {
  first: number
  last: number
}

/**
 * Makes the function that finds the newest entries that match and are older than `before`, at most `most` of them.
 *
 * One condition is looked up in its index. Of several, the one that the fewest entries pass is, and the others are
 * checked on what it finds: at once where that is little, and otherwise in windows, so that a filter that nothing
 * passes does not stop everybody else.
 */
export const createAuditSearch = (
  db: SqliteDatabase
): ((filter: AuditFilter, most: number, before?: number) => Promise<AuditRow[]>) => {
  const count = (condition: Condition): Counted => {
    const some = db
      .select({ one: sql`1` })
      .from(audits)
      .where(condition.indexed)
      .limit(MOST_COUNTED)
      .as('some')
    return {
      condition,
      entries: Number(
        db
          .select({ entries: sql<number>`count(*)` })
          .from(some)
          .get()?.entries
      )
    }
  }

  const newest = (condition: SQL | undefined, most: number): AuditRow[] =>
    db.select().from(audits).where(condition).orderBy(desc(audits.sequence)).limit(most).all()

  /** What passes a condition that few entries pass, all of which are read. */
  const newestOfFew = (condition: SQL | undefined, most: number): AuditRow[] =>
    db
      .select()
      .from(audits)
      .where(condition)
      .orderBy(sql`+${audits.sequence} desc`)
      .limit(most)
      .all()

  const boundsOf = async ({ since, until }: AuditFilter): Promise<Bounds> => {
    const bounds: Bounds = { first: Number.MAX_SAFE_INTEGER, last: 0 }
    for (let from = gte(audits.at, since ?? ''); ;) {
      const end = await attempt(
        () =>
          db
            .select({ at: audits.at })
            .from(audits)
            .where(and(from, isBefore(until)))
            .orderBy(asc(audits.at))
            .limit(1)
            .offset(TIMES - 1)
            .get()?.at
      )
      const part = await attempt(() =>
        db
          .select({
            first: sql<number>`coalesce(min(${audits.sequence}), ${bounds.first})`,
            last: sql<number>`coalesce(max(${audits.sequence}), 0)`
          })
          .from(audits)
          .where(and(from, end === undefined ? isBefore(until) : lte(audits.at, end)))
          .get()
      )
      bounds.first = Math.min(bounds.first, Number(part?.first))
      bounds.last = Math.max(bounds.last, Number(part?.last))
      if (end === undefined) return bounds
      from = gt(audits.at, end)
      await setImmediate()
    }
  }

  /** Reads what passes `one`, or else the whole trail, window by window, and answers what passes the rest as well. */
  const walk = async (
    filter: AuditFilter,
    one: Condition | undefined,
    rest: readonly (SQL | undefined)[],
    most: number,
    before: number
  ): Promise<AuditRow[]> => {
    const found: AuditRow[] = []
    let bounds: Bounds = { first: 0, last: Infinity }
    for (let top = before, windows = 1; ; windows++) {
      const end = await attempt(
        () =>
          db
            .select({ sequence: audits.sequence })
            .from(audits)
            .where(and(one?.indexed, lt(audits.sequence, top)))
            .orderBy(desc(audits.sequence))
            .limit(1)
            .offset(WINDOW - 1)
            .get()?.sequence
      )
      const window = and(one?.indexed, lt(audits.sequence, top), gte(audits.sequence, end ?? 0), ...rest)
      found.push(...(await attempt(() => newest(window, most - found.length))))
      if (found.length === most || end === undefined || end <= bounds.first) return found
      await setImmediate()
      const isTimed = filter.since !== undefined || filter.until !== undefined
      if (isTimed && windows === WINDOWS_WITHOUT_BOUNDS) bounds = await boundsOf(filter)
      top = Math.min(end, bounds.last + 1)
    }
  }

  return async (filter, most, before = Number.MAX_SAFE_INTEGER) => {
    const inOrder = equalities(filter)
    const conditions = [...inOrder, ...duration(filter)]
    if (conditions.length === inOrder.length && inOrder.length < 2) {
      return await attempt(() => newest(and(lt(audits.sequence, before), inOrder[0]?.indexed), most))
    }
    const counted = await attempt(() => conditions.map(count))
    const { condition, entries } = counted.reduce(fewer)
    if (entries < WINDOW) {
      const few = and(condition.indexed, sql`+${audits.sequence} < ${before}`, ...others(conditions, condition))
      return await attempt(() => newestOfFew(few, most))
    }
    const [first, ...more] = counted.filter(each => inOrder.includes(each.condition))
    const one = first === undefined ? undefined : more.reduce(fewer, first).condition
    return await walk(filter, one, others(conditions, one), most, before)
  }
}
