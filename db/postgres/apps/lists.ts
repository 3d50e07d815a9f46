import { and, sql } from 'drizzle-orm'
import type { AppFilter, AppReads, ListPosition } from '../../../domain/apps/rows.ts'
import { rowsOf } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { createBatches } from './batches.ts'
import { comesAfter, LIST_ORDER, matchesAside, matchesFilter } from './conditions.ts'
import { visibleAppIds } from './visibility.ts'
import { readWindow, START } from './windows.ts'
import type { Window } from './windows.ts'

/** At most how many apps that a user may read are looked up by their ids; with more, all apps are looked at. */
const MAX_CANDIDATES = 2000

/** How many apps a statement looks at, first and at most: few pages need more than the first. */
const [FIRST_WINDOW, LAST_WINDOW] = [250, 16_000]
const WINDOW_GROWTH = 4

export const createAppLists = (
  db: PostgresDatabase
): Pick<AppReads, 'candidates' | 'positions' | 'batch' | 'batchAt'> => ({
  candidates: async ({ userId }) => (userId === null ? null : await readCandidates(db, userId)),
  positions: async (filter, candidates, { limit, after = START }) =>
    candidates === null
      ? await search(db, filter, { limit, after })
      : await readAmong(db, filter, candidates, { limit, after }),
  ...createBatches(db)
})

const readCandidates = async (db: PostgresDatabase, userId: number): Promise<number[] | null> => {
  const ids = visibleAppIds(userId, MAX_CANDIDATES)
  const rows = await rowsOf<{ id: string }>(db, sql`${ids} limit ${MAX_CANDIDATES + 1}`)
  return rows.length > MAX_CANDIDATES ? null : rows.map(({ id }) => Number(id))
}

interface Page {
  readonly limit: number
  readonly after: ListPosition
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

// In windows, so that a filter that few of a million apps pass does not run into the time-out of a statement.
const search = async (db: PostgresDatabase, filter: AppFilter, { limit, after }: Page): Promise<ListPosition[]> => {
  const positions: ListPosition[] = []
  const passing = sql`
    select candidates.* from candidates join apps on apps.id = candidates.id where ${matchesFilter(filter)}
  `
  let size = Math.min(Math.max(limit, FIRST_WINDOW), LAST_WINDOW)
  for (let start: ListPosition | null = after; start !== null && positions.length < limit;) {
    const window: Window<PlaceRow> = await readWindow(db, { after: start, size }, passing)
    positions.push(...window.found.map(toPlace))
    start = window.end
    size = Math.min(size * WINDOW_GROWTH, LAST_WINDOW)
  }
  return positions.slice(0, limit)
}
