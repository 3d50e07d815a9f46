import type { RequestContext } from '../access/principal.ts'
import { creation } from '../audits/audit.ts'
import type { Changes } from '../audits/audit.ts'
import { NoPortLeft } from '../errors.ts'
import { randomAppName } from './app.ts'
import type { App, NewApp } from './app.ts'
import { existing, requireAuthorized } from './authorization.ts'
import { auditApp, refuseTakenName } from './changes.ts'
import type { AppTx } from './changes.ts'
import { refuseOwner } from './ownership.ts'
import type { AppKey } from './rows.ts'

/** The fields that the requester specifies for a new app. The service adds the name and the port. */
export type WantedApp = Pick<NewApp, 'descriptiveName' | 'owner'> & Partial<Pick<NewApp, 'panels' | 'schedule'>>

export const createApp = async (tx: AppTx, wanted: WantedApp, context: RequestContext): Promise<App> => {
  await refuseOwner(tx, wanted.owner, 'create', context)
  const at = tx.now()
  const app = await insertApp(tx, wanted, at)
  await auditApp(tx, 'create', app.name, { at, context, changes: auditedApp(app) })
  return app
}

/** Creates an app with the owner, panels, schedule and tags of another app. */
export const copyApp = async (
  tx: AppTx,
  key: AppKey,
  { descriptiveName }: Pick<NewApp, 'descriptiveName'>,
  context: RequestContext
): Promise<App> => {
  const { id, name, owner, panels, schedule } = await requireAuthorized(tx.apps, key, 'read', context)
  await refuseOwner(tx, owner, 'create', context)
  const at = tx.now()
  const copy = await insertApp(tx, { descriptiveName, owner, panels, schedule }, at)
  await tx.apps.copyTags(id, copy.id)
  const changes = { ...auditedApp(copy), copied_from: { to: name } }
  await auditApp(tx, 'copy', copy.name, { at, context, changes })
  return existing(await tx.apps.find(copy.id))
}

const insertApp = async (
  { apps }: AppTx,
  { descriptiveName, owner, panels = null, schedule = null }: WantedApp,
  createdAt: Date
): Promise<App> => {
  await refuseTakenName(apps, owner, descriptiveName)
  const port = await apps.takePort()
  if (port === null) throw new NoPortLeft()
  return await apps.insert({ name: randomAppName(), descriptiveName, owner, panels, schedule, createdAt }, port)
}

// Excludes the panels and the schedule, because they may be large and confidential.
const auditedApp = ({ descriptiveName, owner, port }: App): Changes =>
  creation({ descriptive_name: descriptiveName, owner_type: owner.type, owner_id: owner.id, port })
