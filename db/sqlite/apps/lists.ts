import { setImmediate } from 'node:timers/promises'
import { and, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AppFilter, ListPosition } from '../../../domain/apps/rows.ts'
import { matchesAside, matchesFilter } from '../../app-conditions.ts'
import { MAX_LOOKED_UP } from '../../app-lists.ts'
import type { ListReads, Page } from '../../app-lists.ts'
import { visibleApps } from '../../app-visibility.ts'
import type { SqliteDatabase } from '../database.ts'
import { apps } from '../schema.ts'
import { createBatches } from './batches.ts'
import { comesAfter, comesUntil, createWindowEnds, listOrder } from './windows.ts'

/** Creates the reads that lists are built from. */
export const createListReads = (db: SqliteDatabase): ListReads => ({
  lookUp: async (filter, { after, limit }) => {
    const ids = filter.userId === null ? null : readVisibleIds(db, filter.userId)
    return ids === null ? null : readPlaces(db, and(isAmong(ids), comesAfter(after), matchesAside(filter)), limit)
  },
  search: createSearch(db),
  ...createBatches(db)
})

const readVisibleIds = (db: SqliteDatabase, userId: number): number[] | null => {
  const visible = sql.join(
    visibleApps(userId).map(({ ids }) => ids),
    sql` union `
  )
  const ids = db.all<{ id: number }>(sql`${visible} limit ${MAX_LOOKED_UP + 1}`)
  return ids.length > MAX_LOOKED_UP ? null : ids.map(({ id }) => id)
}

const isAmong = (ids: readonly number[]): SQL =>
  sql`${apps.id} in (select value from json_each(${JSON.stringify(ids)}))`

// SQLite sorts these rows, so they must not contain columns that may be large.
const readPlaces = (db: SqliteDatabase, condition: SQL | undefined, limit: number): ListPosition[] =>
  db
    .select({ descriptiveName: apps.descriptiveName, id: apps.id })
    .from(apps)
    .where(condition)
    .orderBy(...listOrder)
    .limit(limit)
    .all()

// Searches in windows, so that it doesn't block the event loop if only a few of a million apps pass the filter.
const createSearch = (db: SqliteDatabase) => {
  const windowEnd = createWindowEnds(db)
  return async (filter: AppFilter, { after, limit }: Page): Promise<ListPosition[]> => {
    const places: ListPosition[] = []
    const readWindow = (start: ListPosition): ListPosition | null => {
      const end = windowEnd(start)
      const isInWindow = and(comesAfter(start), end === null ? undefined : comesUntil(end))
      places.push(...readPlaces(db, and(isInWindow, matchesFilter(filter)), limit - places.length))
      return end
    }

    let end = readWindow(after)
    while (end !== null && places.length < limit) {
      await setImmediate()
      end = readWindow(end)
    }
    return places
  }
}
