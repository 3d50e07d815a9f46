import { and, sql } from 'drizzle-orm'
import type { AppFilter, ListPosition } from '../../../domain/apps/rows.ts'
import { matchesAside, matchesFilter } from '../../app-conditions.ts'
import { MAX_LOOKED_UP } from '../../app-lists.ts'
import type { ListReads, Page } from '../../app-lists.ts'
import { visibleApps } from '../../app-visibility.ts'
import { rowsOf } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { createBatches } from './batches.ts'
import { comesAfter, LIST_ORDER, readWindow } from './windows.ts'
import type { Window } from './windows.ts'

/**
 * The number of apps that the first statement searches, and the maximum for later ones. Few pages need a second
 * statement.
 */
const [FIRST_WINDOW, LAST_WINDOW] = [250, 16_000]
const WINDOW_GROWTH = 4

/** Creates the reads that lists are built from. */
export const createListReads = (db: PostgresDatabase): ListReads => ({
  lookUp: async (filter, page) => {
    const ids = filter.userId === null ? null : await readVisibleIds(db, filter.userId)
    return ids === null ? null : await readAmong(db, filter, ids, page)
  },
  search: async (filter, page) => await search(db, filter, page),
  ...createBatches(db)
})

const readVisibleIds = async (db: PostgresDatabase, userId: number): Promise<number[] | null> => {
  // Each part has a limit, so that not all ids are read if a user may read more apps than are looked up.
  const visible = sql.join(
    visibleApps(userId).map(({ ids, rowsOfApp }) => sql`(${ids} limit ${MAX_LOOKED_UP * rowsOfApp + 1})`),
    sql` union `
  )
  const rows = await rowsOf<{ id: string }>(db, sql`${visible} limit ${MAX_LOOKED_UP + 1}`)
  return rows.length > MAX_LOOKED_UP ? null : rows.map(({ id }) => Number(id))
}

interface PlaceRow {
  descriptive_name: string
  id: string
}

const toPlace = ({ descriptive_name: descriptiveName, id }: PlaceRow): ListPosition => ({
  descriptiveName,
  id: Number(id)
})

const readAmong = async (
  db: PostgresDatabase,
  filter: AppFilter,
  ids: readonly number[],
  { limit, after }: Page
): Promise<ListPosition[]> => {
  const passes = and(sql`apps.id = any (${sql.param(ids)}::bigint[])`, comesAfter(after), matchesAside(filter))
  const statement = sql`
    select apps.descriptive_name, apps.id from apps where ${passes} order by ${LIST_ORDER} limit ${limit}
  `
  return (await rowsOf<PlaceRow>(db, statement)).map(toPlace)
}

// Searches in windows, so that no statement times out if only a few of a million apps pass the filter.
const search = async (db: PostgresDatabase, filter: AppFilter, { limit, after }: Page): Promise<ListPosition[]> => {
  const places: ListPosition[] = []
  const passing = sql`
    select candidates.* from candidates join apps on apps.id = candidates.id where ${matchesFilter(filter)}
  `
  let size = Math.min(Math.max(limit, FIRST_WINDOW), LAST_WINDOW)
  for (let start: ListPosition | null = after; start !== null && places.length < limit;) {
    const window: Window<PlaceRow> = await readWindow(db, { after: start, size }, passing)
    places.push(...window.found.map(toPlace))
    start = window.end
    size = Math.min(size * WINDOW_GROWTH, LAST_WINDOW)
  }
  return places.slice(0, limit)
}
