import type { Origin } from '../audits/audit.ts'
import type { App, AppChange, NewApp, Tag, TagKey } from './app.ts'

/** A place in the list of apps, which is ordered by `descriptive_name`, then by `id`. */
export interface ListPosition {
  readonly descriptiveName: string
  readonly id: number
}

export interface AppFilter {
  readonly includeDiscarded: boolean
  /** Only apps that bear every one of these tags. */
  readonly tags: readonly TagKey[]
}

/** A stretch of the list: what comes after `after`, up to and with `until`. */
export interface ListRange {
  readonly after?: ListPosition | undefined
  readonly until?: ListPosition | undefined
  /** Without apps of a higher id than this: those that were created later. */
  readonly newest?: number | undefined
}

/**
 * Where apps are kept. Apps that were discarded are found by nothing but `list` with `includeDiscarded`.
 *
 * Writes throw `DescriptiveNameTaken` where the owner has a kept app of that name, and `OwnerNotFound` where there is
 * no such owner; then nothing was written. Each writes its audit entry in the same transaction, under the `origin` it is given.
 */
export interface AppStore {
  insert (app: NewApp, origin: Origin): Promise<App>
  findByName (name: string): Promise<App | null>
  /** Answers null where there is no such app. */
  update (name: string, change: AppChange, at: string, origin: Origin): Promise<App | null>
  /** Answers whether there was such an app. */
  discard (name: string, at: string, origin: Origin): Promise<boolean>
  /** Stores a copy, with its panels, schedule, owner and tags; null where there is no such app. */
  copy (name: string, copy: Pick<NewApp, 'name' | 'descriptiveName' | 'createdAt'>, origin: Origin): Promise<App | null>
  /** Adds a tag where the app does not bear it yet; null where there is no such app. */
  addTag (name: string, tag: TagKey, at: string, origin: Origin): Promise<{ tag: Tag, added: boolean } | null>
  /** Answers whether there was such an app and it bore the tag. */
  removeTag (name: string, tag: TagKey, at: string, origin: Origin): Promise<boolean>
  /**
   * The apps of a range, in batches that are small in number and in bytes. Each is read when it is asked for, and other
   * work gets its turn in between; a batch may be empty. An app that is renamed meanwhile may be missed or come twice;
   * any other comes once.
   */
  list (filter: AppFilter, range: ListRange): AsyncGenerator<App[], void>
  /** The range of the `limit` apps after `after`; it has an `until` where apps follow it. */
  page (filter: AppFilter, limit: number, after?: ListPosition): Promise<ListRange>
}
