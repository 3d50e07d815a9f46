import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AppRelationship, OrganizationRole } from '../../../domain/access/rules.ts'
import type { App } from '../../../domain/apps/app.ts'
import { query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'

// What `mayDo` in domain/access/rules.ts says of `read`, in SQL; test/domain/access/rules.test.ts holds them equal.

/** How many permits there are, so that a user has as many rows of grants on an app at most. */
const PERMITS_OF_APP = 6

/**
 * The ids of the apps that a user may read, each found by an index of its own: the apps of others cost nothing. Of more
 * than `limit`, more than `limit` are answered, and not all of them are looked at.
 */
export const visibleAppIds = (userId: number, limit: number): SQL => sql`
  (select id from apps where user_id = ${userId} limit ${limit + 1})
  union (select apps.id from memberships join apps on apps.organization_id = memberships.organization_id
    where memberships.user_id = ${userId} and (memberships.role = 'admin' or (memberships.role = 'member' and
      apps.discarded_at is null)) limit ${limit + 1})
  union (select apps.id from grants join apps on apps.id = grants.app_id where grants.user_id = ${userId} and
    apps.discarded_at is null limit ${limit * PERMITS_OF_APP + 1})
  union (select id from apps where readable_by is not null and readable_by = 'public' and discarded_at is null
    limit ${limit + 1})
`

/** The same for one app after another, where there are too many to gather. */
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

const RELATIONSHIP = `
  select
    (select role from memberships where organization_id = $1 and user_id = $2) as role,
    (select coalesce(sum(permit), 0) from grants where app_id = $3 and user_id = $2) as grants
`

/** What a user is to an app. */
export const readRelationship = async (
  db: PostgresDatabase,
  { id, owner, readableBy, discardedAt }: App,
  userId: number
): Promise<AppRelationship> => {
  const organizationId = owner.type === 'Organization' ? owner.id : null
  const { rows } = await query(db, RELATIONSHIP, [organizationId, userId, id])
  const [found] = rows as [{ role: OrganizationRole | null; grants: string }]
  return {
    isOwner: owner.type === 'User' && owner.id === userId,
    role: found.role,
    grants: Number(found.grants),
    isPublic: readableBy === 'public',
    isDiscarded: discardedAt !== null
  }
}
