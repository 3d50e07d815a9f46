import type { Asker } from '../access/principal.ts'
import type { AppAction, Permit } from '../access/rules.ts'
import type { App, AppChange, NewApp, Owner, Tag, TagKey } from './app.ts'

/** A place in the list of apps, which is ordered by `descriptive_name`, then by `id`. */
export interface ListPosition {
  readonly descriptiveName: string
  readonly id: number
}

/** What tells an app from others: its name, or its id. */
export type AppKey = string | number

/** What a user may do to an app. */
export interface AppGrant {
  readonly userId: number
  readonly permits: readonly Permit[]
}

export interface AppFilter {
  /** Only apps that this user may read; null: all. */
  readonly userId: number | null
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
 * Where apps are kept. Each verb is held to what its asker may do (`access/rules.ts`), in the transaction of what it
 * does: an app that the asker may not see is answered as one that is not there; what the asker may not do to one that
 * is seen throws `Forbidden`.
 *
 * Apps that were discarded are found by nothing but `list` with `includeDiscarded`.
 *
 * Writes throw `DescriptiveNameTaken` where the owner has a kept app of that name, and `OwnerNotFound` where there is
 * no such owner; then nothing was written. Each writes its audit entry in the same transaction, under the `origin` of
 * the asker.
 */
export interface AppStore {
  insert: (app: NewApp, asker: Asker) => Promise<App>
  find: (key: AppKey, asker: Asker) => Promise<App | null>
  /** Answers null where there is no such app. */
  update: (key: AppKey, change: AppChange, at: string, asker: Asker) => Promise<App | null>
  /** Answers whether there was such an app. */
  discard: (key: AppKey, at: string, asker: Asker) => Promise<boolean>
  /** Stores a copy, with its panels, schedule, owner and tags; null where there is no such app. */
  copy: (key: AppKey, copy: Pick<NewApp, 'name' | 'descriptiveName' | 'createdAt'>, asker: Asker) => Promise<App | null>
  /**
   * Adds a tag where the app does not bear it yet; null where there is no such app. Throws `TooManyTags` beyond a
   * thousand.
   */
  addTag: (key: AppKey, tag: TagKey, at: string, asker: Asker) => Promise<{ tag: Tag; added: boolean } | null>
  /** Answers whether there was such an app and it bore the tag. */
  removeTag: (key: AppKey, tag: TagKey, at: string, asker: Asker) => Promise<boolean>
  /**
   * The apps of a range, in batches that are small in number and in bytes. Each is read when it is asked for, and other
   * work gets its turn in between; a batch may be empty. An app that is renamed meanwhile may be missed or come twice;
   * any other comes once.
   */
  list: (filter: AppFilter, range: ListRange) => AsyncGenerator<App[], void>
  /** The range of the `limit` apps after `after`; it has an `until` where apps follow it. */
  page: (filter: AppFilter, limit: number, after?: ListPosition) => Promise<ListRange>
  /** What users were granted on an app, for those who may grant or revoke; null where there is no such app. */
  grants: (key: AppKey, asker: Asker) => Promise<AppGrant[] | null>
  /**
   * Gives a user permits on an app, or takes them, and answers those that the user has then. Nobody grants what they
   * may not do themselves: that throws `Forbidden`. Throws `UserNotFound`.
   */
  setGrants: (
    key: AppKey,
    userId: number,
    permits: readonly Permit[],
    are: 'granted' | 'revoked',
    at: string,
    asker: Asker
  ) => Promise<AppGrant | null>
  /** Gives an app to another owner. A user may give it to themselves or to an organization that they belong to. */
  transfer: (key: AppKey, owner: Owner, at: string, asker: Asker) => Promise<App | null>
  /** The name of an app of which the asker may do something, discarded or not; null where there is none. */
  nameFor: (key: AppKey, action: AppAction, asker: Asker) => Promise<string | null>
}
