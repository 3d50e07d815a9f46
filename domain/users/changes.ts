import { userIdOf, userPrincipalOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { creation, differences } from '../audits/audit.ts'
import { EmailTaken, Forbidden, UserNotFound } from '../errors.ts'
import { UNLIMITED } from '../keys/client-key.ts'
import { permissionBoundaryOf, refuseBeyondBoundary } from '../keys/policy/permission-boundary.ts'
import type { Transactor } from '../transactor.ts'
import { auditedUser, auditUser } from './audit.ts'
import type { UserTx } from './audit.ts'
import type { UserReads, UserRows } from './rows.ts'
import type { NewUser, User, UserChange } from './user.ts'

/** The fields of a new user. The service adds the creation time. */
export type WantedUser = Omit<NewUser, 'createdAt'>

/** The parts of a change that determine who may make it. For a password, it matters only whether one is set. */
export interface IntendedChange {
  readonly role?: User['role'] | undefined
  readonly email?: string | undefined
  readonly setsPassword: boolean
}

/** The functions that create and change users: see `UserService`. */
export interface UserChanges {
  readonly create: (user: WantedUser, context: RequestContext) => Promise<User>
  /**
   * Returns the user to change. Throws Forbidden or BeyondPermissionBoundary if `update` would. Call this function
   * before hashing a password, because hashing is slow.
   */
  readonly findToChange: (id: number, intended: IntendedChange, context: RequestContext) => Promise<User>
  /**
   * Changes a user. Ends all of their sessions if the password or the e-mail address changes, or if the account is
   * locked. Throws Forbidden if the requester is a user and `change` sets a password.
   */
  readonly update: (id: number, change: UserChange, context: RequestContext) => Promise<User>
  /** Changes the requesting user. */
  readonly updateProfile: (change: Pick<UserChange, 'name' | 'colorTheme'>, context: RequestContext) => Promise<User>
}

/**
 * Throws BeyondPermissionBoundary if the requester is a client key with any limit. A limited key must not create or
 * change administrators, because they can issue client keys. It must not set a password or an e-mail address either,
 * because that would give access to an existing account.
 */
export const refuseLimitedKey = ({ principal }: Pick<RequestContext, 'principal'>): void => {
  if (principal?.kind === 'client_key') refuseBeyondBoundary(permissionBoundaryOf(principal.token), UNLIMITED)
}

/** Stores a user. Throws EmailTaken. */
export const insertUser = async ({ users }: UserTx, user: NewUser): Promise<User> => {
  await refuseTakenEmail(users, user.email)
  return await users.insert(user)
}

/** Creates the functions that create and change users. */
export const createUserChanges = ({ read, write }: Transactor<{ users: UserReads }, UserTx>): UserChanges => ({
  create: async (wanted, context) => {
    if (wanted.role === 'admin') refuseLimitedKey(context)
    return await write(async tx => {
      const at = tx.now()
      const user = await insertUser(tx, { ...wanted, createdAt: at })
      await auditUser(tx, 'create', user.id, { at, source: context, changes: creation(auditedUser(user)) })
      return user
    })
  },

  findToChange: async (id, intended, context) =>
    await read(async ({ users }) => await findToChange(users, id, intended, context)),

  update: async (id, change, context) =>
    await write(async tx => {
      const intended = { ...change, setsPassword: change.passwordHash !== undefined }
      return await applyChange(tx, await findToChange(tx.users, id, intended, context), change, context)
    }),

  updateProfile: async (change, context) =>
    await write(async tx => {
      const user = await tx.users.find(userPrincipalOf(context).user.id)
      if (user === null) throw new UserNotFound()
      return await applyChange(tx, user, change, context)
    })
})

const findToChange = async (
  users: Pick<UserReads, 'find'>,
  id: number,
  { role, email, setsPassword }: IntendedChange,
  context: RequestContext
): Promise<User> => {
  const user = await users.find(id)
  if (user === null) throw new UserNotFound()
  if (user.role === 'admin' || role === 'admin' || setsPassword || email !== undefined) refuseLimitedKey(context)
  if (setsPassword && userIdOf(context) !== null) throw new Forbidden()
  return user
}

const applyChange = async (tx: UserTx, before: User, change: UserChange, context: RequestContext): Promise<User> => {
  const { passwordHash, ...fields } = change
  const after = { ...before, ...fields }
  if (after.email !== before.email) await refuseTakenEmail(tx.users, after.email)
  const changes = {
    ...differences(auditedUser(before), auditedUser(after)),
    ...(passwordHash === undefined ? {} : { password: { changed: true } as const })
  }
  if (Object.keys(changes).length === 0) return before
  const at = tx.now()
  await tx.users.update(before.id, change, at)
  if (after.accountLocked || passwordHash !== undefined || after.email !== before.email) {
    await tx.users.removeSessions(before.id)
  }
  await auditUser(tx, 'update', before.id, { at, source: context, changes })
  return after
}

const refuseTakenEmail = async (users: UserRows, email: string): Promise<void> => {
  if ((await users.findAccountByEmail(email)) !== null) throw new EmailTaken()
}
