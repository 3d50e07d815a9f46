import type { RequestContext } from '../access/principal.ts'
import type { App, Owner } from './app.ts'
import { requireAuthorized } from './authorization.ts'
import { auditApp, refuseTakenName } from './changes.ts'
import type { AppTx } from './changes.ts'
import { isSameOwner, ownerChanges, refuseOwner } from './ownership.ts'
import type { AppKey } from './rows.ts'

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
