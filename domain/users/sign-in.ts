import { v7 as newId } from 'uuid'
import { userActor } from '../access/principal.ts'
import { AccountLocked, InvalidLogin } from '../errors.ts'
import { neighbourhood } from '../../net/addresses.ts'
import { redact } from '../../net/redaction.ts'
import { newSession, sessionHeaders } from './session.ts'
import type { PasswordHasher } from './passwords.ts'
import type { Account, UserStore, Visitor } from './store.ts'

const LONGEST_AGENT = 200

/**
 * Starts a session for a user whose password was checked against a hash, and answers the headers that its client sends
 * from then on. Throws InvalidLogin where the password was changed, or the account locked, while it was checked.
 */
export const startSession = async (
  users: UserStore,
  { user, passwordHash }: Account,
  { address, agent, requestId }: Visitor
): Promise<Record<string, string>> => {
  const { accessToken, kept } = newSession(new Date())
  const session = {
    ...kept,
    id: newId(),
    userId: user.id,
    address,
    agent: agent === undefined ? null : redact(agent).replaceAll(/\p{C}/gu, '?').slice(0, LONGEST_AGENT)
  }
  await users.startSession(session, neighbourhood(address), passwordHash, {
    actor: userActor(user),
    address,
    requestId
  })
  return sessionHeaders(accessToken, session, user.email)
}

/**
 * The account, where this is its password. It takes as long for no account. Throws InvalidLogin, and AccountLocked for
 * who knows the password of an account that is locked.
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
