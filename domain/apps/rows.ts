import type { AppRelationship, Permit } from '../access/rules.ts'
import type { App, AppChange, NewApp, Owner, Tag, TagKey } from './app.ts'

/** A place in the list of apps, which is ordered by `descriptive_name` (by code point), then by `id`. */
export interface ListPosition {
  readonly descriptiveName: string
  readonly id: number
}

/** What identifies an app: its name, or its id. */
export type AppKey = string | number

/** What a user was granted on an app. */
export interface AppGrant {
  readonly userId: number
  readonly permits: readonly Permit[]
}

export interface AppFilter {
  /** Only apps that this user may read; null: all. */
  readonly userId: number | null
  readonly includeDiscarded: boolean
  /** Only apps that have every one of these tags. */
  readonly tags: readonly TagKey[]
}

export interface AppReads {
  /** The app of a key, where it is not discarded. */
  readonly find: (key: AppKey) => Promise<App | null>
  /** The app of a key, discarded or not. */
  readonly findWithDiscarded: (key: AppKey) => Promise<App | null>
  /** What a user is to an app: see `mayDo`. */
  readonly relationship: (app: App, userId: number) => Promise<AppRelationship>
  /** What each user was granted on an app, ordered by user. */
  readonly grantsOn: (appId: number) => Promise<AppGrant[]>
  readonly permitsOf: (appId: number, userId: number) => Promise<Permit[]>
  /** Whether an owner has an app of this descriptive name that is not discarded. */
  readonly isNameTaken: (owner: Owner, descriptiveName: string) => Promise<boolean>
  readonly findTag: (appId: number, tag: TagKey) => Promise<Tag | null>
  readonly countTags: (appId: number) => Promise<number>
  /** The names of an owner's apps that are not discarded, at most `limit`. */
  readonly keptNames: (owner: Owner, page: { readonly limit: number }) => Promise<string[]>
  readonly countDiscarded: (owner: Owner) => Promise<number>
  /** Whether two owners have apps of the same descriptive name that are not discarded. */
  readonly shareName: (one: Owner, other: Owner) => Promise<boolean>
  readonly isEmpty: () => Promise<boolean>
}

/** Verbs without rules: which of them may be called, and for whom, is for the app service to tell. */
export interface AppRows extends AppReads {
  /**
   * A port that no app has which is not discarded, from 3001 to 65535; null where there is none. No two transactions
   * are given the same.
   */
  readonly takePort: () => Promise<number | null>
  readonly insert: (app: NewApp, port: number) => Promise<App>
  readonly update: (id: number, change: AppChange, at: Date) => Promise<void>
  readonly discard: (id: number, at: Date) => Promise<void>
  readonly setOwner: (id: number, owner: Owner, at: Date) => Promise<void>
  /** Gives every app of an owner, discarded ones too, to another. */
  readonly setOwnerOfAll: (from: Owner, to: Owner, at: Date) => Promise<void>
  /** Removes every app of an owner, discarded ones too, with its tags and grants. */
  readonly removeAll: (owner: Owner) => Promise<void>
  readonly insertTag: (appId: number, tag: TagKey) => Promise<Tag>
  /** Answers whether the app had the tag. */
  readonly removeTag: (appId: number, tag: TagKey) => Promise<boolean>
  readonly copyTags: (fromAppId: number, toAppId: number) => Promise<void>
  /** Nothing happens where the user was granted it already. */
  readonly grant: (appId: number, userId: number, permit: Permit) => Promise<void>
  readonly revokeGrant: (appId: number, userId: number, permit: Permit) => Promise<void>
}
