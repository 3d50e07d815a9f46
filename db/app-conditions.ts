import { and, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { PERMITS } from '../domain/access/rules.ts'
import type { Permit } from '../domain/access/rules.ts'
import type { Owner, TagKey } from '../domain/apps/app.ts'
import type { AppFilter } from '../domain/apps/rows.ts'
import { isVisible } from './app-visibility.ts'

// These conditions are the same SQL for every engine. Statements that use them must refer to the tables by name.

export const isKept = sql`apps.discarded_at is null`

export const isOwnedBy = ({ type, id }: Owner): SQL =>
  type === 'User' ? sql`apps.user_id = ${id}` : sql`apps.organization_id = ${id}`

/** Matches apps that pass the filter, regardless of the filter's user. */
export const matchesAside = ({ includeDiscarded, tags }: Omit<AppFilter, 'userId'>): SQL | undefined =>
  and(
    includeDiscarded ? undefined : isKept,
    ...tags.map(
      ({ context, name }) => sql`exists (
        select 1 from tags where tags.app_id = apps.id and tags.context = ${context} and tags.name = ${name}
      )`
    )
  )

/** Matches apps that pass the filter. */
export const matchesFilter = (filter: AppFilter): SQL =>
  and(matchesAside(filter), filter.userId === null ? undefined : isVisible(filter.userId)) ?? sql`true`

export const isTag = (appId: number, { context, name }: TagKey): SQL =>
  sql`tags.app_id = ${appId} and tags.context = ${context} and tags.name = ${name}`

export const isGrant = (appId: number, userId: number, permit: Permit): SQL =>
  sql`grants.app_id = ${appId} and grants.user_id = ${userId} and grants.permit = ${PERMITS[permit]}`
