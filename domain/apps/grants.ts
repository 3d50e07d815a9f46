import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { mayDo } from '../access/rules.ts'
import type { AppAction, Permit } from '../access/rules.ts'
import { differences } from '../audits/audit.ts'
import { Forbidden, UserNotFound } from '../errors.ts'
import type { App } from './app.ts'
import { requireAuthorized } from './authorization.ts'
import { auditApp } from './changes.ts'
import type { AppTx } from './changes.ts'
import type { AppGrant, AppKey, AppReads } from './rows.ts'

/**
 * Returns each user's grants for an app. The principal must be allowed to administer the app, or to grant or revoke
 * permissions for it.
 */
export const listGrants = async (apps: AppReads, key: AppKey, context: RequestContext): Promise<AppGrant[]> => {
  const app = await requireAuthorized(apps, key, 'read', context)
  await refuseUnless(apps, app, context, may => may('administer') || may('grant') || may('revoke'))
  return await apps.grantsOn(app.id)
}

/**
 * Grants a user permissions for an app, in addition to any earlier grants. Returns all of the user's grants for the
 * app.
 */
export const grantPermits = async (
  tx: AppTx,
  key: AppKey,
  grant: AppGrant,
  context: RequestContext
): Promise<AppGrant> => {
  const app = await requireAuthorized(tx.apps, key, 'grant', context)
  // Requesters can grant only permissions that they have themselves.
  await refuseUnless(tx.apps, app, context, may => grant.permits.every(may))
  return await changeGrants(tx, app, grant, { verb: 'grant', context })
}

/** Revokes permissions that a user has been granted for an app. Returns the user's remaining grants for the app. */
export const revokePermits = async (
  tx: AppTx,
  key: AppKey,
  grant: AppGrant,
  context: RequestContext
): Promise<AppGrant> => {
  const app = await requireAuthorized(tx.apps, key, 'revoke', context)
  return await changeGrants(tx, app, grant, { verb: 'revoke', context })
}

const refuseUnless = async (
  apps: AppReads,
  app: App,
  context: RequestContext,
  isMet: (may: (action: AppAction) => boolean) => boolean
): Promise<void> => {
  const userId = userIdOf(context)
  if (userId === null) return
  const relationship = await apps.relationship(app, userId)
  if (!isMet(action => mayDo(relationship, action))) throw new Forbidden()
}

const changeGrants = async (
  tx: AppTx,
  { id, name }: App,
  { userId, permits }: AppGrant,
  { verb, context }: { readonly verb: 'grant' | 'revoke'; readonly context: RequestContext }
): Promise<AppGrant> => {
  if ((await tx.users.find(userId)) === null) throw new UserNotFound()
  const before = await tx.apps.permitsOf(id, userId)
  const change = verb === 'grant' ? tx.apps.grant : tx.apps.revokeGrant
  for (const permit of permits) await change(id, userId, permit)
  const after: Permit[] = await tx.apps.permitsOf(id, userId)
  const changes = differences({ permits: before }, { permits: after })
  if (Object.keys(changes).length > 0) {
    await auditApp(tx, verb, name, { at: tx.now(), context, changes: { user_id: { to: userId }, ...changes } })
  }
  return { userId, permits: after }
}
