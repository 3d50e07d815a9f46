import { and, eq, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { TagKey } from '../../../domain/apps/app.ts'
import type { AppFilter, ListPosition } from '../../../domain/apps/rows.ts'
import { apps, tags } from '../schema.ts'
import { isKept } from './columns.ts'
import { isVisible } from './visibility.ts'

// The collation of the columns, "C", is the order of code points.

/** The order of every list. */
export const LIST_ORDER = sql`apps.descriptive_name, apps.id`

export const comesAfter = ({ descriptiveName, id }: ListPosition): SQL =>
  sql`(apps.descriptive_name, apps.id) > (${descriptiveName}, ${id})`

/** The apps that pass a filter, whoever the user is. */
export const matchesAside = ({ includeDiscarded, tags: wanted }: Omit<AppFilter, 'userId'>): SQL | undefined =>
  and(
    includeDiscarded ? undefined : isKept,
    ...wanted.map(
      ({ context, name }) => sql`exists (
    select 1 from ${tags} where ${tags.appId} = ${apps.id} and ${tags.context} = ${context} and ${tags.name} = ${name}
  )`
    )
  )

/** The apps that pass a filter. */
export const matchesFilter = (filter: AppFilter): SQL =>
  and(matchesAside(filter), filter.userId === null ? undefined : isVisible(filter.userId)) ?? sql`true`

export const isTag = (appId: number, { context, name }: TagKey): SQL | undefined =>
  and(eq(tags.appId, appId), eq(tags.context, context), eq(tags.name, name))
