import type { AppRelationship, Permit } from '../access/rules.ts'
import type { App, AppChange, NewApp, Owner, Tag, TagKey } from './app.ts'

/** A position in the list of apps, which is sorted by `descriptive_name`, in code point order, and then by `id`. */
export interface ListPosition {
  readonly descriptiveName: string
  readonly id: number
}

/** An app's name or id. */
export type AppKey = string | number

/** The permissions that a user has been granted for an app. */
export interface AppGrant {
  readonly userId: number
  readonly permits: readonly Permit[]
}

export interface AppFilter {
  /** Includes only apps that this user may read. If null, includes all apps. */
  readonly userId: number | null
  readonly includeDiscarded: boolean
  /** Includes only apps with all of these tags. */
  readonly tags: readonly TagKey[]
}

export interface AppReads {
  /** Returns the app with the given name or id, or null if it doesn't exist or is discarded. */
  readonly find: (key: AppKey) => Promise<App | null>
  /** Like `find`, but includes discarded apps. */
  readonly findWithDiscarded: (key: AppKey) => Promise<App | null>
  /** Returns a user's relationship to an app: see `mayDo`. */
  readonly relationship: (app: App, userId: number) => Promise<AppRelationship>
  /** Returns the grants of each user for an app, ordered by user id. */
  readonly grantsOn: (appId: number) => Promise<AppGrant[]>
  readonly permitsOf: (appId: number, userId: number) => Promise<Permit[]>
  /** Returns whether an owner already has an app with this descriptive name. Ignores discarded apps. */
  readonly isNameTaken: (owner: Owner, descriptiveName: string) => Promise<boolean>
  readonly findTag: (appId: number, tag: TagKey) => Promise<Tag | null>
  readonly countTags: (appId: number) => Promise<number>
  /** Returns the names of at most `limit` of an owner's apps. Ignores discarded apps. */
  readonly keptNames: (owner: Owner, page: { readonly limit: number }) => Promise<string[]>
  readonly countDiscarded: (owner: Owner) => Promise<number>
  /** Returns whether both owners have an app with the same descriptive name. Ignores discarded apps. */
  readonly shareName: (one: Owner, other: Owner) => Promise<boolean>
  readonly isEmpty: () => Promise<boolean>
}

/** Stores apps. The functions don't enforce any rules; the app service does. */
export interface AppRows extends AppReads {
  /**
   * Returns a port from 3001 to 65535 that no active app uses, or null if there is none. Concurrent transactions never
   * get the same port.
   */
  readonly takePort: () => Promise<number | null>
  readonly insert: (app: NewApp, port: number) => Promise<App>
  readonly update: (id: number, change: AppChange, at: Date) => Promise<void>
  readonly discard: (id: number, at: Date) => Promise<void>
  readonly setOwner: (id: number, owner: Owner, at: Date) => Promise<void>
  /** Transfers all of an owner's apps, including discarded ones, to another owner. */
  readonly setOwnerOfAll: (from: Owner, to: Owner, at: Date) => Promise<void>
  /** Deletes all of an owner's apps, including discarded ones, and their tags and grants. */
  readonly removeAll: (owner: Owner) => Promise<void>
  readonly insertTag: (appId: number, tag: TagKey) => Promise<Tag>
  /** Removes a tag from an app. Returns whether the app had the tag. */
  readonly removeTag: (appId: number, tag: TagKey) => Promise<boolean>
  readonly copyTags: (fromAppId: number, toAppId: number) => Promise<void>
  /** Grants a permission. Does nothing if the user already has it. */
  readonly grant: (appId: number, userId: number, permit: Permit) => Promise<void>
  readonly revokeGrant: (appId: number, userId: number, permit: Permit) => Promise<void>
}
