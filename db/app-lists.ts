import { setImmediate } from 'node:timers/promises'
import type { App } from '../domain/apps/app.ts'
import type { AppFilter, ListPosition } from '../domain/apps/rows.ts'
import type { AppStore } from '../domain/apps/store.ts'
import type { ReadOptions, TransactorOf } from '../domain/transaction.ts'

/** If a user may read more apps than this, a list searches all apps instead of looking up the readable ones by id. */
export const MAX_LOOKED_UP = 2000

/** The position before the first app of a list. */
const START: ListPosition = { descriptiveName: '', id: 0 }

/** A page of at most `limit` apps that follow the position `after` in a list. */
export interface Page {
  readonly after: ListPosition
  readonly limit: number
}

/**
 * A batch of apps from a list, which may be empty, and the last position that was read, or null at the end of the list.
 */
export interface AppBatch {
  readonly apps: App[]
  readonly next: ListPosition | null
}

/** The database reads that lists are built from. Each method is one read. */
export interface ListReads {
  /**
   * Returns the positions of one page of the apps that pass the filter. Finds them by the ids of the apps that the
   * filter's user may read. Returns null if the filter has no user, or if there are more than `MAX_LOOKED_UP` ids.
   */
  readonly lookUp: (filter: AppFilter, page: Page) => Promise<ListPosition[] | null>
  /** Returns the same positions, but searches all apps. Other work may run during the search. */
  readonly search: (filter: AppFilter, page: Page) => Promise<ListPosition[]>
  /** Searches all apps. Returns a batch of the apps that follow the position and pass the filter. */
  readonly batch: (filter: AppFilter, after: ListPosition) => Promise<AppBatch>
  /** Returns a batch of the apps at the positions that still pass the filter. */
  readonly batchAt: (filter: AppFilter, places: readonly ListPosition[]) => Promise<AppBatch>
}

type ReadLists = <T>(work: (lists: ListReads) => Promise<T>) => Promise<T>

/** Creates the function that lists apps with an engine's reads. All batches of a list use the same filter object. */
export const createListApps =
  ({ read }: Pick<TransactorOf<{ readonly lists: ListReads }, never>, 'read'>): AppStore['listApps'] =>
  async (filter, { after = START, limit }, options?: ReadOptions) => {
    const readLists: ReadLists = async work => await read(async ({ lists }) => await work(lists), options)
    if (limit === undefined) return { batches: allBatches(readLists, filter, after), next: null }
    // Reads one more app than fits on the page, to find out whether there is a next page.
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
