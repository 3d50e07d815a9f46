import { and, eq, sql } from 'drizzle-orm'
import type { App } from '../../../domain/apps/app.ts'
import type { AppFilter, ListPosition } from '../../../domain/apps/rows.ts'
import { matchesFilter } from '../../app-conditions.ts'
import type { ListReads } from '../../app-lists.ts'
import type { SqliteDatabase } from '../database.ts'
import { apps } from '../schema.ts'
import { createAppStatements, toApp } from './columns.ts'
import { comesAfter, comesUntil, createWindowEnds, listOrder, WINDOW_APPS } from './windows.ts'

/** The number of bytes that are read before other work gets its turn. */
const BATCH_BYTES = 256 * 1024

export const createBatches = (db: SqliteDatabase): Pick<ListReads, 'batch' | 'batchAt'> => {
  const windowEnd = createWindowEnds(db)
  const readWindow = createWindowReader(db)
  const readEach = createEachReader(db)

  /**
   * Returns the apps at the given positions, one after another. If the filter has no parameters, nearly every app
   * passes, so a range of the list is read at once.
   */
  const readAt = (filter: AppFilter, places: readonly ListPosition[]): Iterable<App> => {
    const [first] = places
    const last = places.at(-1)
    if (first === undefined || last === undefined || !isPlain(filter)) return readEach(filter, places)
    const ids = new Set(places.map(({ id }) => id))
    return readRange(readWindow(filter, { ...first, id: first.id - 1 }, last), ids)
  }

  return {
    batch: async (filter, after) => {
      const end = windowEnd(after)
      const { apps: batch, cutAt } = upToBytes(readRange(readWindow(filter, after, end)))
      return { apps: batch, next: cutAt ?? end }
    },

    batchAt: async (filter, places) => {
      const { apps: batch, cutAt } = upToBytes(readAt(filter, places.slice(0, WINDOW_APPS)))
      return { apps: batch, next: cutAt ?? places[WINDOW_APPS - 1] ?? null }
    }
  }
}

/** Takes apps until the batch is full. `cutAt` is the position of the last app if there may be more. */
const upToBytes = (read: Iterable<App>): { apps: App[]; cutAt: ListPosition | null } => {
  const batch: App[] = []
  let size = 0
  for (const app of read) {
    batch.push(app)
    size += sizeOf(app)
    if (size >= BATCH_BYTES) return { apps: batch, cutAt: { descriptiveName: app.descriptiveName, id: app.id } }
  }
  return { apps: batch, cutAt: null }
}

function* readRange(rows: Iterable<Parameters<typeof toApp>[0]>, ids?: ReadonlySet<number>): Generator<App> {
  for (const row of rows) {
    const app = toApp(row)
    if (ids === undefined || ids.has(app.id)) yield app
  }
}

const sizeOf = ({ panels, schedule, tags }: App): number =>
  (panels?.length ?? 0) + (schedule?.length ?? 0) + tags.length

/** Returns whether a filter has no parameters, as is usual for requests with a client key. */
const isPlain = ({ userId, tags }: AppFilter): boolean => userId === null && tags.length === 0

/**
 * Caches the result of `make` for each filter as long as the filter object exists, because all batches of a list use
 * the same object. All plain filters share one result.
 */
const rememberFilters = <T>(make: (filter: AppFilter) => T): ((filter: AppFilter) => T) => {
  const made = new WeakMap<AppFilter, T>()
  return filter => {
    const key = isPlain(filter) ? PLAIN[filter.includeDiscarded ? 'all' : 'kept'] : filter
    const known = made.get(key) ?? make(key)
    made.set(key, known)
    return known
  }
}

const PLAIN: Readonly<Record<'all' | 'kept', AppFilter>> = {
  all: { userId: null, includeDiscarded: true, tags: [] },
  kept: { userId: null, includeDiscarded: false, tags: [] }
}

const place = (name: string) => ({
  descriptiveName: sql.placeholder(`${name} name`),
  id: sql.placeholder(`${name} id`)
})

/**
 * Creates a function that reads the apps in a window that pass a filter. A window without an end extends to the end of
 * the list.
 */
const createWindowReader = (db: SqliteDatabase) => {
  const statement = createAppStatements(db)
  const after = comesAfter(place('after'))
  const until = comesUntil(place('until'))
  const statements = rememberFilters(filter => {
    const open = statement(and(after, matchesFilter(filter)), ...listOrder)
    const closed = statement(and(after, until, matchesFilter(filter)), ...listOrder)
    return { open: open.rows, closed: closed.rows, params: open.params.slice(2) }
  })
  return (filter: AppFilter, start: ListPosition, end: ListPosition | null) => {
    const { open, closed, params } = statements(filter)
    return end === null
      ? open.iterate(start.descriptiveName, start.id, ...params)
      : closed.iterate(start.descriptiveName, start.id, end.descriptiveName, end.id, ...params)
  }
}

/** Creates a function that reads the apps at the given positions by id, if they pass a filter. */
const createEachReader = (db: SqliteDatabase) => {
  const statement = createAppStatements(db)
  const statementOf = rememberFilters(filter => {
    const { rows, params } = statement(and(eq(apps.id, sql.placeholder('id')), matchesFilter(filter)))
    return { rows, params: params.slice(1) }
  })
  return function* (filter: AppFilter, places: readonly ListPosition[]): Generator<App> {
    const { rows, params } = statementOf(filter)
    for (const { id } of places) {
      const row = rows.get(id, ...params)
      if (row !== undefined) yield toApp(row)
    }
  }
}
