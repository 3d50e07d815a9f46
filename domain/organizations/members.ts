import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import type { OrganizationRole } from '../access/rules.ts'
import type { AuditRows } from '../audits/rows.ts'
import { LastAdmin, UserNotFound } from '../errors.ts'
import type { Now } from '../time.ts'
import type { Transactor } from '../transactor.ts'
import type { UserReads } from '../users/rows.ts'
import { findAuthorized, findVisible } from './access.ts'
import { auditOrganization } from './audit.ts'
import type { Member } from './organization.ts'
import type { OrganizationRows } from './rows.ts'

interface MemberTx {
  readonly organizations: OrganizationRows
  readonly users: UserReads
  readonly audits: AuditRows
  readonly now: Now
}

/** The role to give to a user. */
export interface WantedRole {
  readonly userId: number
  readonly role: OrganizationRole
  /**
   * The user's e-mail address in lower case, or null if it isn't specified. A user must specify it to add another user.
   */
  readonly email: string | null
}

/** The functions that change the members of an organization: see `OrganizationService`. */
export interface MemberChanges {
  /**
   * Adds a user, or changes their role. Throws LastAdmin if the only admin would lose that role. Throws UserNotFound if
   * the user doesn't exist, or if a user adds another user without their e-mail address. Otherwise, users could
   * discover e-mail addresses by adding arbitrary ids.
   */
  readonly setRole: (id: number, wanted: WantedRole, context: RequestContext) => Promise<Member>
  /**
   * Removes a member. Any member may leave. Throws LastAdmin if the user is the only admin, and UserNotFound if they
   * aren't a member.
   */
  readonly removeMember: (id: number, userId: number, context: RequestContext) => Promise<void>
}

/** Creates the functions that change the members of an organization. */
export const createMemberChanges = ({ write }: Pick<Transactor<unknown, MemberTx>, 'write'>): MemberChanges => ({
  setRole: async (id, wanted, context) => await write(async tx => await setRole(tx, id, wanted, context)),

  removeMember: async (id, userId, context) => {
    await write(async tx => {
      await removeMember(tx, id, userId, context)
    })
  }
})

const setRole = async (
  tx: MemberTx,
  id: number,
  { userId, role, email }: WantedRole,
  context: RequestContext
): Promise<Member> => {
  const { organizations, users } = tx
  await findAuthorized(organizations, id, context)
  const before = await organizations.roleOf(id, userId)
  const user = await users.find(userId)
  if (user === null || (before === null && userIdOf(context) !== null && user.email !== email)) {
    throw new UserNotFound()
  }
  if (role !== 'admin') await keepAnAdmin(organizations, id, before)
  if (role !== before) {
    await organizations.setRole(id, userId, role)
    const changes = { user_id: { to: userId }, role: { from: before, to: role } }
    await auditOrganization(tx, 'set_role', id, { at: tx.now(), context, changes })
  }
  return { id: userId, name: user.name, email: user.email, role }
}

const removeMember = async (tx: MemberTx, id: number, userId: number, context: RequestContext): Promise<void> => {
  const { organizations } = tx
  await (userId === userIdOf(context) ? findVisible : findAuthorized)(organizations, id, context)
  const role = await organizations.roleOf(id, userId)
  if (role === null) throw new UserNotFound()
  await keepAnAdmin(organizations, id, role)
  await organizations.removeMember(id, userId)
  const changes = { user_id: { from: userId, to: null }, role: { from: role, to: null } }
  await auditOrganization(tx, 'remove_user', id, { at: tx.now(), context, changes })
}

/** Throws LastAdmin if a user with the given role is the only admin. */
const keepAnAdmin = async (
  organizations: OrganizationRows,
  id: number,
  role: OrganizationRole | null
): Promise<void> => {
  if (role === 'admin' && (await organizations.countAdmins(id)) === 1) throw new LastAdmin()
}
