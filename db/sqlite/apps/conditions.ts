import { and, eq, sql } from 'drizzle-orm'
import type { Placeholder, SQL, SQLWrapper } from 'drizzle-orm'
import type { TagKey } from '../../../domain/apps/app.ts'
import type { AppFilter, ListPosition } from '../../../domain/apps/rows.ts'
import { apps, tags } from '../schema.ts'
import { isKept } from './columns.ts'
import { isVisible } from './visibility.ts'

// `collate binary` is the order of code points. On the right of a comparison it keeps the index `apps_listing` usable.

/** The order of every list. */
export const listOrder: readonly SQL[] = [sql`${apps.descriptiveName} collate binary`, sql`${apps.id}`]

/** A place in a list, or what stands for one in a statement. */
type Place = { readonly [Part in keyof ListPosition]: ListPosition[Part] | Placeholder }

export const comesAfter = ({ descriptiveName, id }: Place): SQL =>
  sql`(${apps.descriptiveName}, ${apps.id}) > (${descriptiveName} collate binary, ${id})`

export const comesUntil = ({ descriptiveName, id }: Place): SQL =>
  sql`(${apps.descriptiveName}, ${apps.id}) <= (${descriptiveName} collate binary, ${id})`

export const hasDescriptiveName = (descriptiveName: string): SQL =>
  sql`${apps.descriptiveName} = ${descriptiveName} collate binary`

export const isNamedAs = (names: SQLWrapper): SQL => sql`${apps.descriptiveName} collate binary in ${names}`

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
export const matchesFilter = (filter: AppFilter): SQL | undefined =>
  and(matchesAside(filter), filter.userId === null ? undefined : isVisible(filter.userId))

export const isTag = (appId: number, { context, name }: TagKey): SQL | undefined =>
  and(eq(tags.appId, appId), eq(tags.context, context), eq(tags.name, name))
