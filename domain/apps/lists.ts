import { setImmediate } from 'node:timers/promises'
import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import type { ReadOptions } from '../transaction.ts'
import type { Transactor } from '../transactor.ts'
import type { App } from './app.ts'
import type { AppBatch, AppFilter, AppReads, ListPosition } from './rows.ts'

/** What is listed: the apps that the principal may read and that pass the filter, after a place. */
export interface AppQuery extends Omit<AppFilter, 'userId'> {
  readonly after?: ListPosition | undefined
}

/** A page of a list. */
export interface AppPage {
  /** Its apps, in batches; an app that is gone meanwhile is left out. */
  readonly batches: AsyncGenerator<App[], void>
  /** The place after which the next page begins; null where there is none. */
  readonly next: ListPosition | null
}

/** The lists of apps: see `AppService`. */
export interface AppLists {
  /**
   * Every app of a list, in batches that are small in number and in bytes. Each is read when it is asked for, and other
   * work gets its turn in between; a batch may be empty. An app that is renamed meanwhile may be missed or come twice;
   * any other comes once.
   */
  list: (query: AppQuery, context: RequestContext, options?: ReadOptions) => AsyncGenerator<App[], void>
  /** The first apps of a list, at most `limit`: those that are there now, read in the same way. */
  page: (
    query: AppQuery & { readonly limit: number },
    context: RequestContext,
    options?: ReadOptions
  ) => Promise<AppPage>
}

type ReadApps = <T>(work: (apps: AppReads) => Promise<T>) => Promise<T>

export const createAppLists = ({ read }: Pick<Transactor, 'read'>): AppLists => {
  const readAppsWith =
    (options: ReadOptions): ReadApps =>
    async work =>
      await read(async ({ apps }) => await work(apps), options)

  return {
    async *list({ after, ...rest }, context, options = {}) {
      const readApps = readAppsWith(options)
      const filter = { ...rest, userId: userIdOf(context) }
      const candidates = await readApps(async apps => await apps.candidates(filter))
      if (candidates === null) yield* allBatches(readApps, filter, after)
      else {
        const page = { limit: candidates.length, after }
        const positions = await readApps(async apps => await apps.positions(filter, candidates, page))
        yield* batchesAt(readApps, filter, positions)
      }
    },

    page: async ({ after, limit, ...rest }, context, options = {}) => {
      const readApps = readAppsWith(options)
      const filter = { ...rest, userId: userIdOf(context) }
      // One more than the page has, to know whether there is a next one.
      const positions = await readApps(
        async apps => await apps.positions(filter, await apps.candidates(filter), { limit: limit + 1, after })
      )
      const shown = positions.slice(0, limit)
      const next = positions.length > limit ? shown.at(-1) : undefined
      return { batches: batchesAt(readApps, filter, shown), next: next ?? null }
    }
  }
}

async function* allBatches(
  read: ReadApps,
  filter: AppFilter,
  start: ListPosition | undefined
): AsyncGenerator<App[], void> {
  for (let after = start; ;) {
    const batch: AppBatch = await read(async apps => await apps.batch(filter, { after }))
    yield batch.apps
    if (batch.next === null) return
    after = batch.next
    await setImmediate()
  }
}

async function* batchesAt(
  read: ReadApps,
  filter: AppFilter,
  positions: readonly ListPosition[]
): AsyncGenerator<App[], void> {
  for (let rest = positions; ;) {
    const batch: AppBatch = await read(async apps => await apps.batchAt(filter, rest))
    yield batch.apps
    const { next } = batch
    if (next === null) return
    rest = rest.slice(rest.findIndex(({ id }) => id === next.id) + 1)
    await setImmediate()
  }
}
