import type { RequestContext } from '../access/principal.ts'
import type { Changes } from '../audits/audit.ts'
import { DescriptiveNameTaken, OwnsApps, TooManyApps } from '../errors.ts'
import type { Owner } from './app.ts'
import { auditApp } from './changes.ts'
import type { AppTx } from './changes.ts'
import { isSameOwner, ownerChanges, requireOwner } from './ownership.ts'

/**
 * What becomes of the apps of an owner who is removed: they get another owner, or are deleted with this one. Null: not
 * decided, so an owner of apps is not removed.
 */
export type AppsDisposal = Owner | 'delete' | null

/** The new owner of the apps; null: they get none. */
export const newOwnerIn = (disposal: AppsDisposal): Owner | null => (disposal === 'delete' ? null : disposal)

/** At most how many apps are transferred or deleted with their owner; more would stop everybody else. */
const MAX_APPS = 1000

/** How many apps an owner had who is removed: those that were kept, and those that were deleted before. */
export interface DisposedApps {
  readonly apps: number
  readonly deleted_apps: number
}

/**
 * Transfers all apps of an owner to another, or deletes them permanently, and returns how many there were; apps that
 * were deleted before are treated the same. To be called in the transaction that removes the owner. Each app that was
 * kept gets an audit entry; the caller counts the others in its own. Throws OwnsApps if there are apps and nothing was
 * decided about them, OwnerNotFound, DescriptiveNameTaken if both owners have an app of a name, and TooManyApps for
 * more than a thousand that are kept.
 */
export const disposeOfApps = async (
  tx: AppTx,
  from: Owner,
  disposal: AppsDisposal,
  { at, context }: { readonly at: Date; readonly context: RequestContext }
): Promise<DisposedApps> => {
  const to = newOwnerIn(disposal)
  if (to !== null) await requireOwner(tx, to)
  const names = await tx.apps.keptNames(from, { limit: MAX_APPS + 1 })
  const discarded = await tx.apps.countDiscarded(from)
  const disposed = { apps: names.length, deleted_apps: discarded }
  if (names.length + discarded === 0) return disposed
  if (disposal === null) throw new OwnsApps()
  if (names.length > MAX_APPS) throw new TooManyApps()
  const { verb, changes } = to === null ? await remove(tx, from) : await transfer(tx, from, to, at)
  for (const name of names) await auditApp(tx, verb, name, { at, context, changes })
  return disposed
}

/** What the audit entry of each app contains. */
interface Entry {
  readonly verb: string
  readonly changes: Changes
}

const remove = async ({ apps }: AppTx, from: Owner): Promise<Entry> => {
  await apps.removeAll(from)
  return {
    verb: 'delete',
    changes: { owner_type: { from: from.type, to: null }, owner_id: { from: from.id, to: null } }
  }
}

const transfer = async ({ apps }: AppTx, from: Owner, to: Owner, at: Date): Promise<Entry> => {
  if (isSameOwner(from, to)) throw new OwnsApps()
  if (await apps.shareName(from, to)) throw new DescriptiveNameTaken()
  await apps.setOwnerOfAll(from, to, at)
  return { verb: 'transfer', changes: ownerChanges(from, to) }
}
