import { userPrincipalOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { InvalidLogin, InvalidToken, SessionNotFound } from '../errors.ts'
import type { Reads, Transactor } from '../transactor.ts'
import { auditUser } from './audit.ts'
import type { UserTx } from './audit.ts'
import { sessionDigest } from './session.ts'
import type { Session, SessionCredential } from './session.ts'
import type { User } from './user.ts'

/** A password to set. */
export interface PasswordChange {
  /** The hash that the current password was verified against. */
  readonly checkedHash: string | null
  readonly passwordHash: string
}

/**
 * The functions that read and end sessions, and change passwords: see `UserService`. Functions with a context apply to
 * the requesting user.
 */
export interface UserSessions {
  /**
   * Returns the session that a credential belongs to, and its user. Returns null if the session has ended or the
   * account is locked.
   */
  readonly findSession: (credential: SessionCredential) => Promise<{ session: Session; user: User } | null>
  /** Returns the sessions that haven't expired, newest first. */
  readonly sessions: (context: RequestContext) => Promise<Session[]>
  /** Ends a session. Throws SessionNotFound if the user has no such session. */
  readonly endSession: (sessionId: string, context: RequestContext) => Promise<void>
  /** Ends the request's session, unless it has already ended. */
  readonly signOut: (context: RequestContext) => Promise<void>
  /**
   * Sets a password, and ends all of the user's other sessions. Throws InvalidToken if the request's session has ended
   * in the meantime, or InvalidLogin if the password has changed since it was verified.
   */
  readonly changePassword: (change: PasswordChange, context: RequestContext) => Promise<void>
}

/** Creates the functions that read and end sessions, and change passwords. */
export const createUserSessions = ({ read, write }: Transactor<Pick<Reads, 'users' | 'now'>, UserTx>): UserSessions => {
  const end = async (sessionId: string, context: RequestContext): Promise<boolean> =>
    await write(async tx => await endSession(tx, sessionId, context))

  return {
    findSession: async ({ accessToken, client, uid }) => {
      const found = await read(async ({ users, now }) => await users.findSession(sessionDigest(accessToken), now()))
      if (found === null || found.user.accountLocked) return null
      return found.session.client === client && found.user.email === uid.toLowerCase() ? found : null
    },

    sessions: async context =>
      await read(async ({ users, now }) => await users.sessions(userPrincipalOf(context).user.id, now())),

    endSession: async (sessionId, context) => {
      if (!(await end(sessionId, context))) throw new SessionNotFound()
    },

    signOut: async context => {
      await end(userPrincipalOf(context).session.id, context)
    },

    changePassword: async (change, context) => {
      await write(async tx => {
        await changePassword(tx, change, context)
      })
    }
  }
}

const endSession = async (tx: UserTx, sessionId: string, context: RequestContext): Promise<boolean> => {
  const { user } = userPrincipalOf(context)
  const isRemoved = await tx.users.removeSession(user.id, sessionId)
  if (isRemoved) {
    const changes = { session_id: { from: sessionId, to: null } }
    await auditUser(tx, 'sign_out', user.id, { at: tx.now(), source: context, changes })
  }
  return isRemoved
}

const changePassword = async (
  tx: UserTx,
  { checkedHash, passwordHash }: PasswordChange,
  context: RequestContext
): Promise<void> => {
  const { user, session } = userPrincipalOf(context)
  const account = await tx.users.findSessionAccount(session.id)
  if (account === null) throw new InvalidToken()
  if (account.passwordHash !== checkedHash) throw new InvalidLogin()
  const at = tx.now()
  await tx.users.update(user.id, { passwordHash }, at)
  await tx.users.removeSessions(user.id, { sessionId: session.id })
  await auditUser(tx, 'update', user.id, { at, source: context, changes: { password: { changed: true } } })
}
