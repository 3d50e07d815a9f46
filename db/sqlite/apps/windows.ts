import { sql } from 'drizzle-orm'
import type { Placeholder, SQL } from 'drizzle-orm'
import type { ListPosition } from '../../../domain/apps/rows.ts'
import type { SqliteDatabase } from '../database.ts'
import { apps } from '../schema.ts'

// `collate binary` orders by code point. On the right-hand side of a comparison, it doesn't prevent SQLite from using
// the index `apps_listing`.

/** The order of every list. */
export const listOrder: readonly SQL[] = [sql`${apps.descriptiveName} collate binary`, sql`${apps.id}`]

/** A position in a list, or its placeholders in a statement. */
type Place = { readonly [Part in keyof ListPosition]: ListPosition[Part] | Placeholder }

export const comesAfter = ({ descriptiveName, id }: Place): SQL =>
  sql`(${apps.descriptiveName}, ${apps.id}) > (${descriptiveName} collate binary, ${id})`

export const comesUntil = ({ descriptiveName, id }: Place): SQL =>
  sql`(${apps.descriptiveName}, ${apps.id}) <= (${descriptiveName} collate binary, ${id})`

/** The number of apps that are read before other work gets its turn. */
export const WINDOW_APPS = 250

// Reads only the index `apps_listing`.
const WINDOW_END = `
  select descriptive_name as descriptiveName, id from apps
  where (descriptive_name, id) > (? collate binary, ?)
  order by descriptive_name collate binary, id
  limit 1 offset ${WINDOW_APPS - 1}
`

/**
 * Creates a function that returns the end of the window that begins after a position, or null if it's the last window.
 */
export const createWindowEnds = ({ $client }: SqliteDatabase): ((after: ListPosition) => ListPosition | null) => {
  const windowEnd = $client.prepare<[string, number], ListPosition>(WINDOW_END)
  return ({ descriptiveName, id }) => windowEnd.get(descriptiveName, id) ?? null
}
