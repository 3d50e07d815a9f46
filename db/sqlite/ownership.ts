import { and, eq, inArray, isNotNull, isNull } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Asker } from '../../domain/access/principal.ts'
import { mayOwnThrough } from '../../domain/access/rules.ts'
import type { OrganizationRole } from '../../domain/access/rules.ts'
import type { Origin } from '../../domain/audits/audit.ts'
import type { Owner } from '../../domain/apps/app.ts'
import { DescriptiveNameTaken, Forbidden, OwnerNotFound, OwnsApps, TooManyApps } from '../../domain/errors.ts'
import type { AppendAudit } from './audit-store.ts'
import { countRows } from './database.ts'
import type { SqliteDatabase } from './database.ts'
import { apps, organizations, users } from './schema.ts'

/** The columns that say whose an app is. */
export const ownerColumns = ({ type, id }: Owner) => ({
  userId: type === 'User' ? id : null,
  organizationId: type === 'Organization' ? id : null
})

/** Makes the function that tells what a user is in an organization; null: nothing. */
export const createRoles = ({
  $client
}: SqliteDatabase): ((organizationId: number, userId: number) => OrganizationRole | null) => {
  const role = $client
    .prepare<[number, number], OrganizationRole>(
      'select role from memberships where organization_id = ? and user_id = ?'
    )
    .pluck()
  return (organizationId, userId) => role.get(organizationId, userId) ?? null
}

/** The condition that an app is an owner's. */
export const isOwnedBy = ({ type, id }: Owner): SQL =>
  type === 'User' ? eq(apps.userId, id) : eq(apps.organizationId, id)

/**
 * Makes the function that throws `Forbidden` where a user may not have apps made for, or given to, an owner, and
 * `OwnerNotFound` for an owner that is not there.
 */
export const createOwnerCheck = (
  db: SqliteDatabase
): ((owner: Owner, what: 'create' | 'receive', asker: Asker) => void) => {
  const roleIn = createRoles(db)
  return (owner, what, { userId }) => {
    const { type, id } = owner
    if (userId !== null && (type === 'User' ? id !== userId : !mayOwnThrough(roleIn(id, userId), what))) {
      throw new Forbidden()
    }
    requireOwner(db, owner)
  }
}

/** What an audit entry tells of another owner. */
export const ownerChanges = (from: Owner, to: Owner) => ({
  owner_type: { from: from.type, to: to.type },
  owner_id: { from: from.id, to: to.id }
})

/** So many apps are given away with their owner; more would stop everybody else. */
const MOST_AT_ONCE = 1000

const requireOwner = (db: SqliteDatabase, { type, id }: Owner): void => {
  const table = type === 'User' ? users : organizations
  if (db.select({ id: table.id }).from(table).where(eq(table.id, id)).get() === undefined) throw new OwnerNotFound()
}

/** Whether two owners have kept apps of the same descriptive name. */
const haveNameInCommon = (db: SqliteDatabase, from: Owner, to: Owner): boolean => {
  const kept = isNull(apps.discardedAt)
  const names = db
    .select({ name: apps.descriptiveName })
    .from(apps)
    .where(and(isOwnedBy(to), kept))
  return countRows(db, apps, and(isOwnedBy(from), kept, inArray(apps.descriptiveName, names))) > 0
}

/**
 * Gives all apps of an owner, discarded ones too, to another, and answers how many there were. To be called in the
 * transaction that removes the owner. Those that are kept have an audit entry each; the rest are for the caller to
 * count in its own. Throws `OwnsApps` where there are apps and nobody to give them to, `OwnerNotFound` for one that is
 * not there, `DescriptiveNameTaken` where both have an app of a name, and `TooManyApps` for more than a thousand that
 * are kept.
 */
export const giveAway = (
  db: SqliteDatabase,
  appendAudit: AppendAudit,
  from: Owner,
  to: Owner | null,
  at: Date,
  origin: Origin
): { apps: number; deleted_apps: number } => {
  const owned = isOwnedBy(from)
  if (to !== null) requireOwner(db, to)
  const names = db
    .select({ name: apps.name })
    .from(apps)
    .where(and(owned, isNull(apps.discardedAt)))
    .limit(MOST_AT_ONCE + 1)
    .all()
  const discarded = countRows(db, apps, and(owned, isNotNull(apps.discardedAt)))
  if (names.length + discarded === 0) return { apps: 0, deleted_apps: 0 }
  if (to === null || (to.type === from.type && to.id === from.id)) throw new OwnsApps()
  if (names.length > MOST_AT_ONCE) throw new TooManyApps()
  if (haveNameInCommon(db, from, to)) throw new DescriptiveNameTaken()
  db.update(apps)
    .set({ ...ownerColumns(to), updatedAt: at.toISOString() })
    .where(owned)
    .run()
  for (const { name } of names) {
    appendAudit({
      at,
      origin,
      action: 'app.transfer',
      subject: { type: 'app', id: name },
      changes: ownerChanges(from, to)
    })
  }
  return { apps: names.length, deleted_apps: discarded }
}
