import type { ReadOptions } from '../transaction.ts'
import type { Transactor } from '../transactor.ts'
import type { App } from './app.ts'
import type { AppFilter, ListPosition } from './rows.ts'

/** The part of a list to return: the items after a position, with an optional limit. */
export interface AppRange {
  readonly after?: ListPosition | undefined
  readonly limit?: number | undefined
}

/** A list of apps, or a page of it. */
export interface AppPage {
  /**
   * The apps in order, in batches that are limited both in the number of apps and in bytes. Each batch is read when it
   * is requested, and the generator yields to the event loop between batches. A batch may be empty. Without a limit, an
   * app that is renamed during the listing may be missed or appear twice; every other app appears once. Apps of a page
   * that are deleted in the meantime are omitted.
   */
  readonly batches: AsyncGenerator<App[], void>
  /** The position after which the next page begins, or null if this is the last page. */
  readonly next: ListPosition | null
}

/** The storage of apps. */
export interface AppStore extends Transactor {
  /**
   * Lists the apps that match a filter. Each batch is a separate read with the given options, because a list may be
   * long and may be consumed slowly.
   */
  readonly listApps: (filter: AppFilter, range: AppRange, options?: ReadOptions) => Promise<AppPage>
}
