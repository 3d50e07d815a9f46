import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { mayOwnThrough } from '../access/rules.ts'
import type { Changes } from '../audits/audit.ts'
import { Forbidden, OwnerNotFound } from '../errors.ts'
import type { OrganizationReads } from '../organizations/rows.ts'
import type { UserReads } from '../users/rows.ts'
import type { Owner, App } from './app.ts'
import { requireAuthorized } from './authorization.ts'
import { auditApp, refuseTakenName } from './changes.ts'
import type { AppTx } from './changes.ts'
import type { AppKey } from './rows.ts'

/** The reads required to find the owner of an app. */
export interface OwnerReads {
  readonly organizations: Pick<OrganizationReads, 'find' | 'roleOf'>
  readonly users: Pick<UserReads, 'find'>
}

/** Throws OwnerNotFound if the owner doesn't exist. */
export const requireOwner = async ({ organizations, users }: OwnerReads, { type, id }: Owner): Promise<void> => {
  if ((await (type === 'User' ? users : organizations).find(id)) === null) throw new OwnerNotFound()
}

/**
 * Throws Forbidden if the requesting user may not create apps for an owner, or may not transfer apps to that owner.
 * Throws OwnerNotFound if the owner doesn't exist.
 */
export const refuseOwner = async (
  rows: OwnerReads,
  owner: Owner,
  action: 'create' | 'receive',
  context: Pick<RequestContext, 'principal'>
): Promise<void> => {
  const userId = userIdOf(context)
  if (userId !== null && owner.type === 'Organization') {
    if (!mayOwnThrough(await rows.organizations.roleOf(owner.id, userId), action)) throw new Forbidden()
    // The user has a role in the organization, so it exists.
    return
  }
  if (userId !== null && owner.id !== userId) throw new Forbidden()
  await requireOwner(rows, owner)
}

/** Returns the changes to record in the audit entry for a transfer. */
export const ownerChanges = (from: Owner, to: Owner): Changes => ({
  owner_type: { from: from.type, to: to.type },
  owner_id: { from: from.id, to: to.id }
})

export const isSameOwner = (one: Owner, other: Owner): boolean => one.type === other.type && one.id === other.id

/**
 * Transfers an app to another owner. Users may transfer apps to themselves, or to organizations in which they are
 * admins or members.
 */
export const transferApp = async (tx: AppTx, key: AppKey, owner: Owner, context: RequestContext): Promise<App> => {
  const app = await requireAuthorized(tx.apps, key, 'transfer', context)
  await refuseOwner(tx, owner, 'receive', context)
  if (isSameOwner(owner, app.owner)) return app
  await refuseTakenName(tx.apps, owner, app.descriptiveName)
  const at = tx.now()
  await tx.apps.setOwner(app.id, owner, at)
  await auditApp(tx, 'transfer', app.name, { at, context, changes: ownerChanges(app.owner, owner) })
  return { ...app, owner, updatedAt: at }
}
