import type { Origin } from '../audits/audit.ts'
import type { Owner } from '../apps/app.ts'
import type { Permit } from '../access/rules.ts'
import type { Session } from '../sessions/session.ts'
import type { Visitor } from './sign-in.ts'
import type { NewUser, User, UserChange } from './user.ts'

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
  insert (user: NewUser, author: Origin | Visitor): Promise<User>
  find (id: number): Promise<User | null>
  findAccount (email: string): Promise<Account | null>
  /** Ordered by id: `limit` users after the id `after`. */
  page (limit: number, after: number): Promise<{ users: User[], more: boolean }>
  /**
   * Ends every session of the user but `own.keep` where the password changes, and all of them where the account is locked. A change
   * of one's own password names the hash that was checked: where it is another by now, it throws `InvalidLogin`.
   */
  update (id: number, change: UserChange, at: Date, origin: Origin, own?: { keep: string, checked: string | null }): Promise<User | null>
  /** Throws `OwnsApps` where the user owns apps and no new owner is named, `OwnerNotFound` for one that is not there, `LastAdmin`. */
  remove (id: number, transferTo: Owner | null, at: Date, origin: Origin): Promise<boolean>
  grants (id: number): Promise<UserGrant[]>

  /**
   * Starts a session, and remembers the place; sessions of the user that have expired are forgotten. Throws `InvalidLogin` where the
   * account is locked or gone by now, or its password is another than the one that was checked.
   */
  startSession (session: Session, place: string, checked: string | null, origin: Origin): Promise<void>
  /** The session of a token that has not expired, and its user. */
  findSession (digest: string, at: Date): Promise<{ session: Session, user: User } | null>
  /** Those that have not expired, the newest first. */
  sessions (userId: number, at: Date): Promise<Session[]>
  endSession (userId: number, id: string, at: Date, origin: Origin): Promise<boolean>
  /** Whether the user has signed in at this place in the last 90 days. */
  isKnownPlace (userId: number, place: string, at: Date): Promise<boolean>
}
