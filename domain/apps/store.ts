import type { ReadOptions } from '../transaction.ts'
import type { Transactor } from '../transactor.ts'
import type { App } from './app.ts'
import type { AppFilter, ListPosition } from './rows.ts'

/** The part of a list to return: the items after a position, with an optional limit. */
export interface AppRange {
  readonly after?: ListPosition | undefined
  readonly limit?: number | undefined
}

/** A page of a list of apps, or the whole list. */
export interface AppPage {
  /**
   * The apps in order, in batches of limited length and size. A batch may be empty. Each batch is read when it's
   * requested, and the event loop runs between batches. If there is no limit, an app that is renamed while the list is
   * being read may be missed or appear twice; every other app appears once. If there is a limit, apps that are deleted
   * before their batch is read are omitted.
   */
  readonly batches: AsyncGenerator<App[], void>
  /** The position after which the next page begins, or null if this is the last page. */
  readonly next: ListPosition | null
}

/** Stores apps, and lists them in batches. */
export interface AppStore extends Transactor {
  /**
   * Lists the apps that match a filter. Each batch is a separate read with the same `options`, because the list may be
   * long and may be consumed slowly.
   */
  readonly listApps: (filter: AppFilter, range: AppRange, options?: ReadOptions) => Promise<AppPage>
}
