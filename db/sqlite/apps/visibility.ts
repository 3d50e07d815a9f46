import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AppRelationship, OrganizationRole } from '../../../domain/access/rules.ts'
import type { App } from '../../../domain/apps/app.ts'
import type { SqliteDatabase } from '../database.ts'

// What `mayDo` in domain/access/rules.ts says of `read`, in SQL; test/domain/access/rules.test.ts holds them equal.

/** The ids of the apps that a user may read, each found by an index of its own: the apps of others cost nothing. */
export const visibleAppIds = (userId: number): SQL => sql`
  select id from apps where user_id = ${userId}
  union select apps.id from memberships join apps on apps.organization_id = memberships.organization_id
    where memberships.user_id = ${userId} and (memberships.role = 'admin' or (memberships.role = 'member' and
      apps.discarded_at is null))
  union select apps.id from grants join apps on apps.id = grants.app_id where grants.user_id = ${userId} and
    apps.discarded_at is null
  union select id from apps where readable_by is not null and readable_by = 'public' and discarded_at is null
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

/** Makes the function that tells what a user is to an app. */
export const createRelationships = ({ $client }: SqliteDatabase): ((app: App, userId: number) => AppRelationship) => {
  const roleIn = $client
    .prepare<[organizationId: number, userId: number], OrganizationRole>(
      'select role from memberships where organization_id = ? and user_id = ?'
    )
    .pluck()
  const sumOfGrants = $client
    .prepare<[appId: number, userId: number], number>(
      'select coalesce(sum(permit), 0) from grants where app_id = ? and user_id = ?'
    )
    .pluck()
  return ({ id, owner, readableBy, discardedAt }, userId) => ({
    isOwner: owner.type === 'User' && owner.id === userId,
    role: owner.type === 'Organization' ? (roleIn.get(owner.id, userId) ?? null) : null,
    grants: Number(sumOfGrants.get(id, userId)),
    isPublic: readableBy === 'public',
    isDiscarded: discardedAt !== null
  })
}
