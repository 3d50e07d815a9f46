import { v7 as newId } from 'uuid'
import { ipPrefix } from '../../net/addresses.ts'
import { storableUserAgent } from '../../net/user-agent.ts'
import { userActor } from '../access/principal.ts'
import { creation } from '../audits/audit.ts'
import type { AuditSource } from '../audits/audit.ts'
import { AccountLocked, InvalidLogin } from '../errors.ts'
import type { Reads, Transactor } from '../transactor.ts'
import { auditedUser, auditUser } from './audit.ts'
import type { UserTx } from './audit.ts'
import { insertUser } from './changes.ts'
import type { PasswordHasher } from './passwords.ts'
import type { Account } from './rows.ts'
import { newSession } from './session.ts'
import type { Session } from './session.ts'
import type { NewUser, User } from './user.ts'

const LOCATION_DAYS = 90
const DAY_MS = 86_400_000

/** The origin of a request to sign in or sign up. */
export interface SignInSource {
  readonly address: string
  readonly userAgent: string | undefined
  readonly requestId: string
}

/** A new session. */
export interface SignedIn {
  readonly user: User
  readonly session: Session
  /** The token, which isn't stored. */
  readonly accessToken: string
}

/** The functions that start sessions: see `UserService`. */
export interface SignIn {
  /**
   * Starts a session for a user whose password was verified against the hash in `account`, and stores the location.
   * Throws InvalidLogin if the account has been locked or deleted in the meantime, or its password has changed.
   */
  readonly signIn: (account: Account, source: SignInSource) => Promise<SignedIn>
  /** Creates a user and starts a session. The new user is the actor in the audit trail. Throws EmailTaken. */
  readonly signUp: (user: Pick<NewUser, 'name' | 'email' | 'passwordHash'>, source: SignInSource) => Promise<SignedIn>
  /** Returns whether a user has signed in from the address's IP prefix in the last 90 days. */
  readonly isKnownLocation: (userId: number, address: string) => Promise<boolean>
}

/** Creates the functions that start sessions. */
export const createSignIn = ({ read, write }: Transactor<Pick<Reads, 'users' | 'now'>, UserTx>): SignIn => ({
  signIn: async ({ user: { id }, passwordHash }, source) =>
    await write(async tx => {
      const account = await tx.users.findAccount(id)
      if (account === null || account.user.accountLocked || account.passwordHash !== passwordHash) {
        throw new InvalidLogin()
      }
      return await startSession(tx, account.user, source)
    }),

  signUp: async (wanted, source) =>
    await write(async tx => {
      const at = tx.now()
      const user = await insertUser(tx, { ...wanted, role: 'member', createdAt: at })
      const changes = creation(auditedUser(user))
      await auditUser(tx, 'create', user.id, { at, source: auditSourceOf(user, source), changes })
      return await startSession(tx, user, source)
    }),

  isKnownLocation: async (userId, address) =>
    await read(async ({ users, now }) => await users.isKnownLocation(userId, ipPrefix(address), oldestLocation(now())))
})

/**
 * Returns the account if the password is correct. This takes the same time even if there is no account. Throws
 * InvalidLogin if it isn't correct, and AccountLocked if it's correct but the account is locked.
 */
export const checkPassword = async (
  passwords: PasswordHasher,
  account: Account | null,
  password: string
): Promise<Account> => {
  if (!(await passwords.verify(account?.passwordHash ?? null, password)) || account === null) throw new InvalidLogin()
  if (account.user.accountLocked) throw new AccountLocked()
  return account
}

const startSession = async (tx: UserTx, user: User, source: SignInSource): Promise<SignedIn> => {
  const at = tx.now()
  const { accessToken, kept } = newSession(at)
  const { address, userAgent } = source
  const session = { ...kept, id: newId(), userId: user.id, address, agent: storableUserAgent(userAgent) }
  await tx.users.removeLocations(user.id, oldestLocation(at))
  await tx.users.saveLocation(user.id, ipPrefix(address), at)
  await tx.users.removeExpiredSessions(user.id, at)
  await tx.users.insertSession(session)
  const changes = creation({ session_id: session.id })
  await auditUser(tx, 'sign_in', user.id, { at, source: auditSourceOf(user, source), changes })
  return { user, session, accessToken }
}

const auditSourceOf = (user: User, { address, requestId }: SignInSource): AuditSource => ({
  actor: userActor(user),
  address,
  requestId
})

/** Returns the earliest sign-in time for which a location still counts as known. */
const oldestLocation = (at: Date): Date => new Date(at.getTime() - LOCATION_DAYS * DAY_MS)
