import type { RequestContext } from '../access/principal.ts'
import { differences } from '../audits/audit.ts'
import type { Changes } from '../audits/audit.ts'
import { appendAudit } from '../audits/service.ts'
import { DescriptiveNameTaken } from '../errors.ts'
import type { Tx } from '../transactor.ts'
import type { App, AppChange, Owner } from './app.ts'
import { requireAuthorized } from './authorization.ts'
import type { AppKey, AppReads } from './rows.ts'

/** The rows required for changes to apps. */
export type AppTx = Pick<Tx, 'apps' | 'audits' | 'organizations' | 'users' | 'now'>

/** Appends the audit entry for a change to an app. */
export const auditApp = async (
  { audits }: Pick<AppTx, 'audits'>,
  verb: string,
  name: string,
  { at, context, changes }: { readonly at: Date; readonly context: RequestContext; readonly changes: Changes }
): Promise<void> => {
  await appendAudit(audits, {
    at,
    source: context,
    action: `app.${verb}`,
    subject: { type: 'app', id: name },
    changes
  })
}

export const refuseTakenName = async (
  apps: Pick<AppReads, 'isNameTaken'>,
  owner: Owner,
  descriptiveName: string
): Promise<void> => {
  if (await apps.isNameTaken(owner, descriptiveName)) throw new DescriptiveNameTaken()
}

/** Changes the specified fields of an app. Does nothing if `change` is empty. */
export const updateApp = async (tx: AppTx, key: AppKey, change: AppChange, context: RequestContext): Promise<App> => {
  const before = await requireAuthorized(tx.apps, key, 'update', context)
  if (Object.keys(change).length === 0) return before
  const at = tx.now()
  const after = { ...before, ...change, updatedAt: at }
  if (after.descriptiveName !== before.descriptiveName) {
    await refuseTakenName(tx.apps, before.owner, after.descriptiveName)
  }
  await tx.apps.update(before.id, change, at)
  await auditApp(tx, 'update', before.name, { at, context, changes: changesOf(before, after) })
  return after
}

export const discardApp = async (tx: AppTx, key: AppKey, context: RequestContext): Promise<void> => {
  const { id, name } = await requireAuthorized(tx.apps, key, 'destroy', context)
  const at = tx.now()
  await tx.apps.discard(id, at)
  await auditApp(tx, 'delete', name, { at, context, changes: {} })
}

// Excludes the content of panels and schedules, because it may be large and confidential.
const changesOf = (before: App, after: App): Changes => ({
  ...differences({ descriptive_name: before.descriptiveName }, { descriptive_name: after.descriptiveName }),
  ...(after.panels === before.panels ? {} : { panels: { changed: true } }),
  ...(after.schedule === before.schedule ? {} : { schedule: { changed: true } })
})
