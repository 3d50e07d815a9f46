import type { ReadOptions } from '../transaction.ts'
import type { Transactor } from '../transactor.ts'
import type { App } from './app.ts'
import type { AppFilter, ListPosition } from './rows.ts'

/** Which part of a list is asked for: what comes after a place, the first so many of that or all. */
export interface AppRange {
  readonly after?: ListPosition | undefined
  readonly limit?: number | undefined
}

/** A list of apps, or a page of it. */
export interface AppPage {
  /**
   * The apps in order, in batches that are small in number and in bytes. Each is read when it is asked for, and other
   * work has its turn in between; a batch may be empty. Without a limit, an app that is renamed meanwhile may be missed
   * or come twice; any other comes once. An app of a page that is gone meanwhile is left out.
   */
  readonly batches: AsyncGenerator<App[], void>
  /** The place after which the next page begins; null if there is none. */
  readonly next: ListPosition | null
}

/** Where apps are stored. */
export interface AppStore extends Transactor {
  /**
   * Lists the apps that pass a filter. Each batch is a read of its own, with the options, since a list may be long and
   * whoever reads it slow.
   */
  readonly listApps: (filter: AppFilter, range: AppRange, options?: ReadOptions) => Promise<AppPage>
}
