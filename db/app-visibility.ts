import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { PERMITS } from '../domain/access/rules.ts'
import type { AppRelationship } from '../domain/access/rules.ts'
import type { App } from '../domain/apps/app.ts'

// The SQL equivalent of `mayDo` in domain/access/rules.ts for `read`. test/domain/access/rules.test.ts compares the
// two.

/**
 * A query for the ids of the apps that a user may read for a particular reason, and the maximum number of rows that it
 * returns for each app.
 */
interface VisibleApps {
  readonly ids: SQL
  readonly rowsOfApp: number
}

/**
 * Returns one query for each reason why the user may read an app. Each query uses its own index, so it doesn't search
 * apps that the user may not read.
 */
export const visibleApps = (userId: number): VisibleApps[] => [
  { ids: sql`select id from apps where user_id = ${userId}`, rowsOfApp: 1 },
  {
    ids: sql`select apps.id from memberships join apps on apps.organization_id = memberships.organization_id
      where memberships.user_id = ${userId} and (memberships.role = 'admin' or (memberships.role = 'member' and
        apps.discarded_at is null))`,
    rowsOfApp: 1
  },
  {
    ids: sql`select apps.id from grants join apps on apps.id = grants.app_id where grants.user_id = ${userId} and
      apps.discarded_at is null`,
    rowsOfApp: Object.keys(PERMITS).length
  },
  {
    ids: sql`select id from apps where readable_by is not null and readable_by = 'public' and discarded_at is null`,
    rowsOfApp: 1
  }
]

/** Matches the same apps, but checks them one at a time. Used if there are too many to look up by id. */
export const isVisible = (userId: number): SQL => sql`(
  apps.user_id = ${userId}
  or exists (
    select 1 from memberships where memberships.organization_id = apps.organization_id and memberships.user_id =
      ${userId}
    and (memberships.role = 'admin' or (memberships.role = 'member' and apps.discarded_at is null))
  )
  or (apps.discarded_at is null and (
    apps.readable_by = 'public' or exists (select 1 from grants where grants.app_id = apps.id and grants.user_id =
      ${userId})
  ))
)`

/**
 * Returns the relationship between a user and an app, based on the user's role in the owning organization and the sum
 * of the user's grants.
 */
export const toRelationship = (
  { owner, readableBy, discardedAt }: App,
  userId: number,
  found: Pick<AppRelationship, 'role' | 'grants'>
): AppRelationship => ({
  isOwner: owner.type === 'User' && owner.id === userId,
  ...found,
  isPublic: readableBy === 'public',
  isDiscarded: discardedAt !== null
})
