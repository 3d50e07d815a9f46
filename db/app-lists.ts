import { setImmediate } from 'node:timers/promises'
import type { App } from '../domain/apps/app.ts'
import type { AppFilter, ListPosition } from '../domain/apps/rows.ts'
import type { AppStore } from '../domain/apps/store.ts'
import type { ReadOptions, TransactorOf } from '../domain/transaction.ts'

/** At most how many apps that a user may read are looked up by their ids; with more, all apps are looked at. */
export const MAX_LOOKED_UP = 2000

/** What comes before every place in a list. */
const START: ListPosition = { descriptiveName: '', id: 0 }

/** At most so many apps of a list, after a place. */
export interface Page {
  readonly after: ListPosition
  readonly limit: number
}

/** Some apps of a list, and the last place that was looked at; null if the list is over. `apps` may be empty. */
export interface AppBatch {
  readonly apps: App[]
  readonly next: ListPosition | null
}

/** What lists are made of: each verb is one look at the database. */
export interface ListReads {
  /**
   * The places of the apps of a page that pass a filter, found by the ids of those that its user may read; null if it
   * has no user, or these are more than `MAX_LOOKED_UP`.
   */
  readonly lookUp: (filter: AppFilter, page: Page) => Promise<ListPosition[] | null>
  /** The same places, found by looking at all apps. It may let other work have its turn. */
  readonly search: (filter: AppFilter, page: Page) => Promise<ListPosition[]>
  /** The apps after a place that pass a filter, found by looking at all apps: a batch. */
  readonly batch: (filter: AppFilter, after: ListPosition) => Promise<AppBatch>
  /** The apps at some places that still pass a filter: a batch. */
  readonly batchAt: (filter: AppFilter, places: readonly ListPosition[]) => Promise<AppBatch>
}

type ReadLists = <T>(work: (lists: ListReads) => Promise<T>) => Promise<T>

/** Makes lists from the reads of an engine. All batches of a list ask with one object as the filter. */
export const createListApps =
  ({ read }: Pick<TransactorOf<{ readonly lists: ListReads }, never>, 'read'>): AppStore['listApps'] =>
  async (filter, { after = START, limit }, options?: ReadOptions) => {
    const readLists: ReadLists = async work => await read(async ({ lists }) => await work(lists), options)
    if (limit === undefined) return { batches: allBatches(readLists, filter, after), next: null }
    // One more than the page has, to know whether there is a next one.
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
