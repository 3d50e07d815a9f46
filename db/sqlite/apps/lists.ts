import { setImmediate } from 'node:timers/promises'
import { and, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AppFilter, AppReads, ListPosition } from '../../../domain/apps/rows.ts'
import type { SqliteDatabase } from '../database.ts'
import { apps } from '../schema.ts'
import { createBatches } from './batches.ts'
import { comesAfter, comesUntil, listOrder, matchesAside, matchesFilter } from './conditions.ts'
import { visibleAppIds } from './visibility.ts'
import { createWindowEnds, START } from './windows.ts'

/** At most how many apps that a user may read are looked up by their ids; with more, all apps are looked at. */
const MAX_CANDIDATES = 2000

export const createAppLists = (
  db: SqliteDatabase
): Pick<AppReads, 'candidates' | 'positions' | 'batch' | 'batchAt'> => {
  const search = createSearch(db)
  return {
    candidates: async ({ userId }) => (userId === null ? null : readCandidates(db, userId)),
    positions: async (filter, candidates, { limit, after = START }) =>
      candidates === null
        ? await search(filter, limit, after)
        : readPositions(db, and(isAmong(candidates), comesAfter(after), matchesAside(filter)), limit),
    ...createBatches(db)
  }
}

const readCandidates = (db: SqliteDatabase, userId: number): number[] | null => {
  const ids = db.all<{ id: number }>(sql`${visibleAppIds(userId)} limit ${MAX_CANDIDATES + 1}`)
  return ids.length > MAX_CANDIDATES ? null : ids.map(({ id }) => id)
}

const isAmong = (ids: readonly number[]): SQL =>
  sql`${apps.id} in (select value from json_each(${JSON.stringify(ids)}))`

// What is sorted must not hold what may be large.
const readPositions = (db: SqliteDatabase, condition: SQL | undefined, limit: number): ListPosition[] =>
  db
    .select({ descriptiveName: apps.descriptiveName, id: apps.id })
    .from(apps)
    .where(condition)
    .orderBy(...listOrder)
    .limit(limit)
    .all()

// In windows, so that a filter that few of a million apps pass does not stop everybody else.
const createSearch = (db: SqliteDatabase) => {
  const windowEnd = createWindowEnds(db)
  return async (filter: AppFilter, limit: number, after: ListPosition): Promise<ListPosition[]> => {
    const positions: ListPosition[] = []
    const readWindow = (start: ListPosition): ListPosition | null => {
      const end = windowEnd(start)
      const isInWindow = and(comesAfter(start), end === null ? undefined : comesUntil(end))
      positions.push(...readPositions(db, and(isInWindow, matchesFilter(filter)), limit - positions.length))
      return end
    }

    let end = readWindow(after)
    while (end !== null && positions.length < limit) {
      await setImmediate()
      end = readWindow(end)
    }
    return positions
  }
}
