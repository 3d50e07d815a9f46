import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { App } from '../../../domain/apps/app.ts'
import type { AppFilter, ListPosition } from '../../../domain/apps/rows.ts'
import { matchesFilter } from '../../app-conditions.ts'
import type { ListReads } from '../../app-lists.ts'
import { rowsOf } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { appColumns, tagsJson, toApp } from './columns.ts'
import type { AppRow } from './columns.ts'
import { readWindow } from './windows.ts'

/** The maximum number of apps in a batch. */
const BATCH_APPS = 500

/** The maximum size of a batch, in bytes of panels, schedules and tags. Only its last app may exceed it. */
const BATCH_BYTES = 256 * 1024

/** An app, and the size of the batch in bytes, up to and including this app. */
type SizedRow = AppRow & { bytes: string }

export const createBatches = (db: PostgresDatabase): Pick<ListReads, 'batch' | 'batchAt'> => ({
  batch: async (filter, after) => {
    const { found, end } = await readWindow<SizedRow>(db, { after, size: BATCH_APPS }, batchOf(sql`candidates`, filter))
    const { apps, cutAt } = toBatch(found)
    return { apps, next: cutAt ?? end }
  },

  batchAt: async (filter, places) => {
    const ids = places.slice(0, BATCH_APPS).map(({ id }) => id)
    const wanted = sql`unnest(${sql.param(ids)}::bigint[]) with ordinality as candidates (id, place)`
    const { apps, cutAt } = toBatch(await rowsOf<SizedRow>(db, sql`${batchOf(wanted, filter)} order by place`))
    return { apps, next: cutAt ?? places[BATCH_APPS - 1] ?? null }
  }
})

/** Selects the `candidates` that pass the filter, up to the maximum size of a batch. */
const batchOf = (candidates: SQL, filter: AppFilter): SQL => sql`
  select * from (
    select *, sum(size) over (order by place) as bytes from (
      select ${appColumns}, place, tags,
        coalesce(octet_length(panels), 0) + coalesce(octet_length(schedule), 0) + octet_length(tags) as size
      from ${candidates} join apps on apps.id = candidates.id cross join lateral ${tagsJson} as tagged (tags)
      where ${matchesFilter(filter)}
    ) as passing
  ) as summed where bytes - size < ${BATCH_BYTES}
`

/** Converts rows to a batch. `cutAt` is the position of the last app if more candidates may follow it. */
const toBatch = (rows: readonly SizedRow[]): { apps: App[]; cutAt: ListPosition | null } => {
  const apps = rows.map(toApp)
  const last = apps.at(-1)
  const isCut = last !== undefined && Number(rows.at(-1)?.bytes) >= BATCH_BYTES
  return { apps, cutAt: isCut ? { descriptiveName: last.descriptiveName, id: last.id } : null }
}
