import type { RequestContext } from '../access/principal.ts'
import type { Changes } from '../audits/audit.ts'
import { DescriptiveNameTaken, OwnsApps, TooManyApps } from '../errors.ts'
import type { Owner } from './app.ts'
import { auditApp } from './changes.ts'
import type { AppTx } from './changes.ts'
import { isSameOwner, ownerChanges, requireOwner } from './ownership.ts'

/**
 * What happens to an owner's apps when the owner is deleted: they are transferred to another owner, or deleted too. If
 * null, neither was requested, and an owner with apps isn't deleted.
 */
export type AppsDisposal = Owner | 'delete' | null

/** Returns the new owner of the apps, or null if there is none. */
export const newOwnerIn = (disposal: AppsDisposal): Owner | null => (disposal === 'delete' ? null : disposal)

/**
 * The maximum number of apps that are transferred or deleted together with their owner. A larger number would block
 * other transactions for too long.
 */
const MAX_APPS = 1000

/** The numbers of active and discarded apps that a deleted owner had. */
export interface DisposedApps {
  readonly apps: number
  readonly deleted_apps: number
}

/**
 * Transfers all of an owner's apps, including discarded ones, to another owner, or deletes them permanently. Returns
 * how many apps there were. Must be called in the transaction that deletes the owner.
 *
 * Appends an audit entry for each app that isn't discarded. The owner's own entry must contain the number of discarded
 * apps.
 *
 * Throws OwnerNotFound if the new owner doesn't exist, and OwnsApps if there are apps but `disposal` is null or the
 * same owner. Throws TooManyApps if more than 1000 apps aren't discarded, and DescriptiveNameTaken if both owners have
 * an app with the same descriptive name.
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

/** The verb and the changes in each app's audit entry. */
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
