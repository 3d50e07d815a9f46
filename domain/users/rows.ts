import type { Permit } from '../access/rules.ts'
import type { Session } from './session.ts'
import type { NewUser, User, UserChange } from './user.ts'

/** A user with the hash that their password is checked against; null: the user can't sign in. */
export interface Account {
  readonly user: User
  readonly passwordHash: string | null
}

/** What a user was granted, or may do, on an app. */
export interface UserGrant {
  readonly appId: number
  readonly appName: string
  readonly permits: readonly Permit[]
}

export interface UserReads {
  readonly find: (id: number) => Promise<User | null>
  readonly findAccount: (id: number) => Promise<Account | null>
  /** The account of an address in lower case; addresses are compared without case. */
  readonly findAccountByEmail: (email: string) => Promise<Account | null>
  /** Ordered by id, at most `limit`, after the id `after`. */
  readonly page: (page: { readonly limit: number; readonly after: number }) => Promise<User[]>
  /**
   * What a user was granted, ordered by the ids of the apps: on at most `limit` apps, after the id `after`, those that
   * are discarded only with `includeDiscarded`.
   */
  readonly grants: (
    id: number,
    page: { readonly limit: number; readonly after?: number | undefined; readonly includeDiscarded: boolean }
  ) => Promise<UserGrant[]>
  /**
   * The apps that are not discarded on which a user has permits, by grants, as their owner, or as an admin of the
   * organization that owns them: ordered by id, at most `limit`, after the id `after`.
   */
  readonly permittedApps: (
    id: number,
    page: { readonly limit: number; readonly after?: number | undefined }
  ) => Promise<UserGrant[]>
  /** How many permits a user was granted, on all apps. */
  readonly countGrants: (id: number) => Promise<number>
  readonly isEmpty: () => Promise<boolean>

  /** The session of a token's digest that has not expired at an instant, and its user. */
  readonly findSession: (digest: string, at: Date) => Promise<{ session: Session; user: User } | null>
  /** The account of a session that has not ended, expired or not. */
  readonly findSessionAccount: (sessionId: string) => Promise<Account | null>
  /** Those that have not expired at an instant, the newest first. */
  readonly sessions: (userId: number, at: Date) => Promise<Session[]>
  /** Whether a user has signed in from an IP prefix since an instant. */
  readonly isKnownLocation: (userId: number, ipPrefix: string, since: Date) => Promise<boolean>
}

/** Verbs without rules: which of them may be called, and for whom, is for the user service to tell. */
export interface UserRows extends UserReads {
  readonly insert: (user: NewUser) => Promise<User>
  readonly update: (id: number, change: UserChange, at: Date) => Promise<void>
  /** Removes a user, with their sessions, memberships, grants and known locations. */
  readonly remove: (id: number) => Promise<void>

  readonly insertSession: (session: Session) => Promise<void>
  /** Answers whether the user had the session. */
  readonly removeSession: (userId: number, sessionId: string) => Promise<boolean>
  /** Removes every session of a user, but one where it is named. */
  readonly removeSessions: (userId: number, except?: { readonly sessionId: string }) => Promise<void>
  readonly removeExpiredSessions: (userId: number, at: Date) => Promise<void>
  readonly saveLocation: (userId: number, ipPrefix: string, at: Date) => Promise<void>
  readonly removeLocations: (userId: number, before: Date) => Promise<void>
}
