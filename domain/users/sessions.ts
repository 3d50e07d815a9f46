import { userPrincipalOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { InvalidLogin, InvalidToken, SessionNotFound } from '../errors.ts'
import type { Reads, Transactor } from '../transactor.ts'
import { auditUser } from './audit.ts'
import type { UserTx } from './audit.ts'
import { sessionDigest } from './session.ts'
import type { Session, SessionCredential } from './session.ts'
import type { User } from './user.ts'

/** A password to be set. */
export interface PasswordChange {
  /** The hash that the password of before was checked against. */
  readonly checkedHash: string | null
  readonly passwordHash: string
}

/** What is done with sessions: see `UserService`. Every verb with a context is for the user who asks. */
export interface UserSessions {
  /** The session that a credential belongs to, and its user; null where it has ended, or the account is locked. */
  readonly findSession: (credential: SessionCredential) => Promise<{ session: Session; user: User } | null>
  /** Those that have not expired, the newest first. */
  readonly sessions: (context: RequestContext) => Promise<Session[]>
  /** Throws SessionNotFound where the user has no such session. */
  readonly endSession: (sessionId: string, context: RequestContext) => Promise<void>
  /** Ends the session of the request, where it has not ended already. */
  readonly signOut: (context: RequestContext) => Promise<void>
  /**
   * Sets a password, and ends every other session. Throws InvalidToken where the session of the request has ended by
   * now, and InvalidLogin where the password is another already than the one that was checked.
   */
  readonly changePassword: (change: PasswordChange, context: RequestContext) => Promise<void>
}

/** Makes the verbs of the user service that are about sessions. */
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
