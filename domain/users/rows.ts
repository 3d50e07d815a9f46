import type { Permit } from '../access/rules.ts'
import type { Session } from './session.ts'
import type { NewUser, User, UserChange } from './user.ts'

/** A user and their password hash. A user without a hash can't sign in. */
export interface Account {
  readonly user: User
  readonly passwordHash: string | null
}

/** A user's permissions for an app. */
export interface UserGrant {
  readonly appId: number
  readonly appName: string
  readonly permits: readonly Permit[]
}

/** Selects the users who meet all of the specified conditions. */
export interface UserFilter {
  readonly role?: User['role'] | undefined
  readonly accountLocked?: boolean | undefined
  readonly namePrefix?: string | undefined
  /** In lower case. */
  readonly emailPrefix?: string | undefined
}

export interface UserReads {
  readonly find: (id: number) => Promise<User | null>
  readonly findAccount: (id: number) => Promise<Account | null>
  /** Returns the account with the given e-mail address, which must be in lower case. */
  readonly findAccountByEmail: (email: string) => Promise<Account | null>
  /** Returns at most `limit` users that match the filter, with ids greater than `after`, ordered by id. */
  readonly page: (page: { readonly limit: number; readonly after: number }, filter?: UserFilter) => Promise<User[]>
  /**
   * Returns a user's grants for at most `limit` apps with ids greater than `after`, ordered by app id. Includes
   * discarded apps only if `includeDiscarded` is true.
   */
  readonly grants: (
    id: number,
    page: { readonly limit: number; readonly after?: number | undefined; readonly includeDiscarded: boolean }
  ) => Promise<UserGrant[]>
  /**
   * Returns a user's permissions for at most `limit` apps with ids greater than `after`, ordered by app id. Includes
   * permissions from grants, and those that the user has as the owner or as an admin of the owning organization. Omits
   * discarded apps.
   */
  readonly permittedApps: (
    id: number,
    page: { readonly limit: number; readonly after?: number | undefined }
  ) => Promise<UserGrant[]>
  /** Returns the number of permissions that a user has been granted, across all apps. */
  readonly countGrants: (id: number) => Promise<number>
  readonly isEmpty: () => Promise<boolean>

  /**
   * Returns the session with the given token digest, and its user. Returns null if it doesn't exist or has expired at
   * `at`.
   */
  readonly findSession: (digest: string, at: Date) => Promise<{ session: Session; user: User } | null>
  /**
   * Returns the account that a session belongs to, even if the session has expired. Returns null if the session was
   * deleted.
   */
  readonly findSessionAccount: (sessionId: string) => Promise<Account | null>
  /** Returns the sessions that haven't expired at `at`, newest first. */
  readonly sessions: (userId: number, at: Date) => Promise<Session[]>
  /** Returns whether a user has signed in from the given IP prefix since the given time. */
  readonly isKnownLocation: (userId: number, ipPrefix: string, since: Date) => Promise<boolean>
}

/** Stores users. The functions don't enforce any rules; the user service does. */
export interface UserRows extends UserReads {
  readonly insert: (user: NewUser) => Promise<User>
  readonly update: (id: number, change: UserChange, at: Date) => Promise<void>
  /** Deletes a user and their sessions, memberships, grants and known locations. */
  readonly remove: (id: number) => Promise<void>

  readonly insertSession: (session: Session) => Promise<void>
  /** Deletes a session. Returns whether the user had that session. */
  readonly removeSession: (userId: number, sessionId: string) => Promise<boolean>
  /** Deletes all of a user's sessions, except the one with `sessionId`. */
  readonly removeSessions: (userId: number, except?: { readonly sessionId: string }) => Promise<void>
  readonly removeExpiredSessions: (userId: number, at: Date) => Promise<void>
  readonly saveLocation: (userId: number, ipPrefix: string, at: Date) => Promise<void>
  readonly removeLocations: (userId: number, before: Date) => Promise<void>
}
