import { setImmediate } from 'node:timers/promises'
import type { App } from '../domain/apps/app.ts'
import type { AppFilter, ListPosition } from '../domain/apps/rows.ts'
import type { AppStore } from '../domain/apps/store.ts'
import type { ReadOptions, TransactorOf } from '../domain/transaction.ts'

/** The maximum number of a user's readable apps that are looked up by id. If there are more, all apps are searched. */
export const MAX_LOOKED_UP = 2000

/** The position before the first app of a list. */
const START: ListPosition = { descriptiveName: '', id: 0 }

/** A page of at most `limit` apps after a position in a list. */
export interface Page {
  readonly after: ListPosition
  readonly limit: number
}

/** Some apps of a list, and the last position that was read, or null at the end of the list. `apps` may be empty. */
export interface AppBatch {
  readonly apps: App[]
  readonly next: ListPosition | null
}

/** The reads that lists consist of. Each method is one read of the database. */
export interface ListReads {
  /**
   * Returns the positions of the apps on a page that pass a filter. They're found by the ids of the apps that the
   * filter's user may read. Returns null if the filter has no user, or if there are more than `MAX_LOOKED_UP` such ids.
   */
  readonly lookUp: (filter: AppFilter, page: Page) => Promise<ListPosition[] | null>
  /** Returns the same positions, but searches all apps. It may let other work run in between. */
  readonly search: (filter: AppFilter, page: Page) => Promise<ListPosition[]>
  /** Returns a batch of the apps after a position that pass a filter. It searches all apps. */
  readonly batch: (filter: AppFilter, after: ListPosition) => Promise<AppBatch>
  /** Returns a batch of the apps at the given positions that still pass a filter. */
  readonly batchAt: (filter: AppFilter, places: readonly ListPosition[]) => Promise<AppBatch>
}

type ReadLists = <T>(work: (lists: ListReads) => Promise<T>) => Promise<T>

/** Creates the function that lists apps from the reads of an engine. All batches of a list use one filter object. */
export const createListApps =
  ({ read }: Pick<TransactorOf<{ readonly lists: ListReads }, never>, 'read'>): AppStore['listApps'] =>
  async (filter, { after = START, limit }, options?: ReadOptions) => {
    const readLists: ReadLists = async work => await read(async ({ lists }) => await work(lists), options)
    if (limit === undefined) return { batches: allBatches(readLists, filter, after), next: null }
    // One more than the page has, to find out whether there is a next page.
    const page = { after, limit: limit + 1 }
    const places = await readLists(
      async lists => (await lists.lookUp(filter, page)) ?? (await lists.search(filter, page))
    )
    const shown = places.slice(0, limit)
    const next = places.length > limit ? shown.at(-1) : undefined
    return { batches: batchesAt(readLists, filter, shown), next: next ?? null }
  }

async function* allBatches(read: ReadLists, filter: AppFilter, start: ListPosition): AsyncGenerator<App[], void> {
  const places = await read(async lists => await lists.lookUp(filter, { after: start, limit: MAX_LOOKED_UP }))
  if (places === null) yield* batchesAfter(read, filter, start)
  else yield* batchesAt(read, filter, places)
}

async function* batchesAfter(read: ReadLists, filter: AppFilter, start: ListPosition): AsyncGenerator<App[], void> {
  for (let after = start; ;) {
    const { apps, next } = await read(async lists => await lists.batch(filter, after))
    yield apps
    if (next === null) return
    after = next
    await setImmediate()
  }
}

async function* batchesAt(
  read: ReadLists,
  filter: AppFilter,
  places: readonly ListPosition[]
): AsyncGenerator<App[], void> {
  for (let rest = places; ;) {
    const { apps, next } = await read(async lists => await lists.batchAt(filter, rest))
    yield apps
    if (next === null) return
    rest = rest.slice(rest.findIndex(({ id }) => id === next.id) + 1)
    await setImmediate()
  }
}
