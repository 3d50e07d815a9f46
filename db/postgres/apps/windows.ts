import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ListPosition } from '../../../domain/apps/rows.ts'
import { rowsOf } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'

// The columns have the collation "C", so they're ordered by code point.

/** The order of every list. */
export const LIST_ORDER = sql`apps.descriptive_name, apps.id`

export const comesAfter = ({ descriptiveName, id }: ListPosition): SQL =>
  sql`(apps.descriptive_name, apps.id) > (${descriptiveName}, ${id})`

/** The rows that were found in a window of the list, and the end of the window, or null if it's the last window. */
export interface Window<Row> {
  readonly found: Row[]
  readonly end: ListPosition | null
}

type WindowRow<Row> = (Row | { id: null }) & { end_name: string | null; end_id: string | null }

/**
 * Runs a statement on the `candidates` (descriptive_name, id, place): the next `size` apps of the unfiltered list. It
 * reads only these, so its duration is limited even if it finds few of them.
 */
export const readWindow = async <Row extends { id: string }>(
  db: PostgresDatabase,
  { after, size }: { readonly after: ListPosition; readonly size: number },
  statement: SQL
): Promise<Window<Row>> => {
  // The candidates are read only from the index `apps_listing`.
  const rows = await rowsOf<WindowRow<Row>>(
    db,
    sql`
      with candidates as materialized (
        select apps.descriptive_name, apps.id, row_number() over (order by ${LIST_ORDER}) as place
        from apps where ${comesAfter(after)} order by ${LIST_ORDER} limit ${size}
      ),
      found as (${statement}),
      last as (select descriptive_name as end_name, id as end_id from candidates where place = ${size})
      select found.*, last.* from (select) as one left join last on true left join found on true order by found.place
    `
  )
  return { found: rows.filter(isFound), end: toEnd(rows[0]) }
}

const isFound = <Row extends { id: string }>(row: WindowRow<Row>): row is Row & WindowRow<Row> => row.id !== null

const toEnd = (row: WindowRow<unknown> | undefined): ListPosition | null =>
  row === undefined || row.end_name === null ? null : { descriptiveName: row.end_name, id: Number(row.end_id) }
