import { refuseDisposalOfUser } from '../access/disposal.ts'
import type { RequestContext } from '../access/principal.ts'
import { disposeOfApps } from '../apps/disposal.ts'
import type { DisposedApps, AppsDisposal } from '../apps/disposal.ts'
import { differences } from '../audits/audit.ts'
import { appendAudit } from '../audits/service.ts'
import { LastAdmin, UserNotFound } from '../errors.ts'
import type { Transactor, Tx } from '../transactor.ts'
import { auditUser } from './audit.ts'
import { refuseLimitedKey } from './changes.ts'
import type { User } from './user.ts'

/**
 * When a user is deleted, at most this many of their memberships, and at most this many of their grants, get separate
 * audit entries. The user's own entry contains the total numbers.
 */
const MAX_ENTRIES = 1000

/** The time of a change, and the context of the request that caused it. */
interface Occasion {
  readonly at: Date
  readonly context: RequestContext
}

/** A deleted user, and the numbers of apps that they owned. */
export interface RemovedUser extends DisposedApps {
  readonly user: User
}

/** The function that deletes users: see `UserService`. */
export interface UserRemoval {
  /**
   * Deletes a user and their sessions, memberships and grants. Throws BeyondPermissionBoundary or InsufficientScope if
   * a client key isn't allowed to do this, and TransferNotAllowed if a request with a session would transfer the apps.
   * May also throw LastAdmin or any error of `disposeOfApps`.
   */
  readonly remove: (id: number, apps: AppsDisposal, context: RequestContext) => Promise<RemovedUser>
}

/** Creates the function that deletes users. */
export const createUserRemoval = ({ write }: Pick<Transactor, 'write'>): UserRemoval => ({
  remove: async (id, apps, context) =>
    await write(async tx => {
      const occasion = { at: tx.now(), context }
      const user = await findToRemove(tx, id, apps, context)
      const disposed = await disposeOfApps(tx, { type: 'User', id }, apps, occasion)
      const organizations = await tx.organizations.countMemberships(id)
      const grants = await tx.users.countGrants(id)
      await auditMemberships(tx, id, occasion)
      await auditGrants(tx, id, occasion)
      await tx.users.remove(id)
      const changes = differences(
        { ...disposed, organizations, grants },
        { apps: 0, deleted_apps: 0, organizations: 0, grants: 0 }
      )
      await auditUser(tx, 'delete', id, { at: occasion.at, source: context, changes })
      return { user, ...disposed }
    })
})

const findToRemove = async (
  { users, organizations }: Tx,
  id: number,
  apps: AppsDisposal,
  context: RequestContext
): Promise<User> => {
  const user = await users.find(id)
  if (user?.role === 'admin') refuseLimitedKey(context)
  refuseDisposalOfUser(apps, context)
  if (user === null) throw new UserNotFound()
  if (await organizations.isOnlyAdmin(id)) throw new LastAdmin()
  return user
}

const auditMemberships = async (tx: Tx, id: number, { at, context }: Occasion): Promise<void> => {
  for (const { organizationId, role } of await tx.organizations.memberships(id, { limit: MAX_ENTRIES })) {
    await appendAudit(tx.audits, {
      at,
      source: context,
      action: 'organization.remove_user',
      subject: { type: 'organization', id: String(organizationId) },
      changes: { user_id: { from: id, to: null }, role: { from: role, to: null } }
    })
  }
}

const auditGrants = async (tx: Tx, id: number, { at, context }: Occasion): Promise<void> => {
  for (const { appName, permits } of await tx.users.grants(id, { limit: MAX_ENTRIES, includeDiscarded: true })) {
    await appendAudit(tx.audits, {
      at,
      source: context,
      action: 'app.revoke',
      subject: { type: 'app', id: appName },
      changes: { user_id: { from: id, to: null }, permits: { from: permits, to: [] } }
    })
  }
}
