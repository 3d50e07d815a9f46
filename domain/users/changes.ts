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

/** A user to be made; the service tells when. */
export type WantedUser = Omit<NewUser, 'createdAt'>

/** What decides who may make a change: not which name is given, but that a password is set at all, say. */
export interface IntendedChange {
  readonly role?: User['role'] | undefined
  readonly email?: string | undefined
  readonly setsPassword: boolean
}

/** What makes and changes users: see `UserService`. */
export interface UserChanges {
  readonly create: (user: WantedUser, context: RequestContext) => Promise<User>
  /**
   * The user that a change is about. Throws Forbidden and BeyondPermissionBoundary where `update` would: to be called
   * before a password is hashed, which takes long.
   */
  readonly findToChange: (id: number, intended: IntendedChange, context: RequestContext) => Promise<User>
  /**
   * Ends every session of the user where the password or the e-mail address changes, or the account is locked. Throws
   * Forbidden for a user who sets the password of another.
   */
  readonly update: (id: number, change: UserChange, context: RequestContext) => Promise<User>
  /** Changes the user who asks. */
  readonly updateProfile: (change: Pick<UserChange, 'name' | 'colorTheme'>, context: RequestContext) => Promise<User>
}

/**
 * Administrators make client keys, and another password or address opens an account that was somebody's: a key with any
 * limit gives none of these. Throws BeyondPermissionBoundary.
 */
export const refuseLimitedKey = ({ principal }: Pick<RequestContext, 'principal'>): void => {
  if (principal?.kind === 'client_key') refuseBeyondBoundary(permissionBoundaryOf(principal.token), UNLIMITED)
}

/** Stores a user. Throws EmailTaken. */
export const insertUser = async ({ users }: UserTx, user: NewUser): Promise<User> => {
  await refuseTakenEmail(users, user.email)
  return await users.insert(user)
}

/** Makes the verbs of the user service that make and change users. */
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
