import type { Origin } from '../audits/audit.ts'
import type { Owner } from '../apps/app.ts'
import type { Permit } from '../access/rules.ts'
import type { Session } from './session.ts'
import type { NewUser, User, UserChange } from './user.ts'

/** Where a sign-in comes from. */
export interface Visitor {
  readonly address: string
  readonly agent: string | undefined
  readonly requestId: string
}

/** A user with what checks a password. */
export interface Account {
  readonly user: User
  readonly passwordHash: string | null
}

/** What a user was granted on an app. */
export interface UserGrant {
  readonly appId: number
  readonly appName: string
  readonly permits: readonly Permit[]
}

/**
 * Where users and their sessions are kept. Writes throw `EmailTaken`, and write their audit entry in the same
 * transaction; they answer null, or false, where there is no such user or session.
 */
export interface UserStore {
  /** A user who signs up is the author of that; `visitor` tells from where. */
  insert: (user: NewUser, author: Origin | Visitor) => Promise<User>
  find: (id: number) => Promise<User | null>
  findAccount: (email: string) => Promise<Account | null>
  /** Ordered by id: `limit` users after the id `after`. */
  page: (limit: number, after: number) => Promise<{ users: User[]; more: boolean }>
  /** Ends every session of the user where the password or the e-mail address changes, or the account is locked. */
  update: (id: number, change: UserChange, at: Date, origin: Origin) => Promise<User | null>
  /**
   * A new password for the user of a session, by whom `checked` was proved to be the hash of the one before; ends every
   * other session. Throws `InvalidToken` where the session is over by now, `InvalidLogin` where the password is another
   * already.
   */
  changePassword: (
    session: Session,
    checked: string | null,
    passwordHash: string,
    at: Date,
    origin: Origin
  ) => Promise<void>
  /**
   * Throws `OwnsApps` where the user owns apps and no new owner is named, `OwnerNotFound` for one that is not there,
   * `LastAdmin`.
   */
  remove: (id: number, transferTo: Owner | null, at: Date, origin: Origin) => Promise<boolean>
  /** Ordered by the ids of the apps, those that were deleted left out. */
  grants: (id: number) => Promise<UserGrant[]>

  /**
   * Starts a session, and remembers the place; sessions of the user that have expired are forgotten. Throws
   * `InvalidLogin` where the account is locked or gone by now, or its password is another than the one that was
   * checked.
   */
  startSession: (session: Session, place: string, checked: string | null, origin: Origin) => Promise<void>
  /** The session of a token that has not expired, and its user. */
  findSession: (digest: string, at: Date) => Promise<{ session: Session; user: User } | null>
  /** Those that have not expired, the newest first. */
  sessions: (userId: number, at: Date) => Promise<Session[]>
  endSession: (userId: number, id: string, at: Date, origin: Origin) => Promise<boolean>
  /** Whether the user has signed in at this place in the last 90 days. */
  isKnownPlace: (userId: number, place: string, at: Date) => Promise<boolean>
}
