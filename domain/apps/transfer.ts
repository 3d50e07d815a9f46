import type { RequestContext } from '../access/principal.ts'
import { DescriptiveNameTaken, OwnsApps, TooManyApps } from '../errors.ts'
import type { App, Owner } from './app.ts'
import { requireAuthorized } from './authorization.ts'
import { auditApp, refuseTakenName } from './changes.ts'
import type { AppTx } from './changes.ts'
import { isSameOwner, ownerChanges, refuseOwner, requireOwner } from './ownership.ts'
import type { AppKey } from './rows.ts'

/** At most how many apps are transferred with the deletion of their owner; more would stop everybody else. */
const MAX_TRANSFERRED = 1000

/** Transfers an app to another owner. A user may transfer it to themselves or to an organization they belong to. */
export const transferApp = async (tx: AppTx, key: AppKey, owner: Owner, context: RequestContext): Promise<App> => {
  const app = await requireAuthorized(tx.apps, key, 'transfer', context)
  await refuseOwner(tx, owner, 'receive', context)
  if (isSameOwner(owner, app.owner)) return app
  await refuseTakenName(tx.apps, owner, app.descriptiveName)
  const at = new Date()
  await tx.apps.setOwner(app.id, owner, at)
  await auditApp(tx, 'transfer', app.name, { at, context, changes: ownerChanges(app.owner, owner) })
  return { ...app, owner, updatedAt: at }
}

/**
 * Transfers all apps of an owner, discarded ones too, to another, and answers how many there were. To be called in the
 * transaction that removes the owner. Those that are kept have an audit entry each; the rest are for the caller to
 * count in its own. Throws OwnsApps where there are apps and nobody to transfer them to, OwnerNotFound,
 * DescriptiveNameTaken where both have an app of a name, and TooManyApps for more than a thousand that are kept.
 */
export const transferApps = async (
  tx: AppTx,
  from: Owner,
  to: Owner | null,
  { at, context }: { readonly at: Date; readonly context: RequestContext }
): Promise<{ apps: number; deleted_apps: number }> => {
  if (to !== null) await requireOwner(tx, to)
  const names = await tx.apps.keptNames(from, { limit: MAX_TRANSFERRED + 1 })
  const discarded = await tx.apps.countDiscarded(from)
  if (names.length + discarded === 0) return { apps: 0, deleted_apps: 0 }
  if (to === null || isSameOwner(from, to)) throw new OwnsApps()
  if (names.length > MAX_TRANSFERRED) throw new TooManyApps()
  if (await tx.apps.shareName(from, to)) throw new DescriptiveNameTaken()
  await tx.apps.setOwnerOfAll(from, to, at)
  const changes = ownerChanges(from, to)
  for (const name of names) await auditApp(tx, 'transfer', name, { at, context, changes })
  return { apps: names.length, deleted_apps: discarded }
}
