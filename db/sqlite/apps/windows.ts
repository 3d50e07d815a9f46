import type { ListPosition } from '../../../domain/apps/rows.ts'
import type { SqliteDatabase } from '../database.ts'

/** How many apps are looked at before other work gets its turn. */
export const WINDOW_APPS = 250

// Reads nothing but the index `apps_listing`.
const WINDOW_END = `
  select descriptive_name as descriptiveName, id from apps
  where (descriptive_name, id) > (? collate binary, ?)
  order by descriptive_name collate binary, id
  limit 1 offset ${WINDOW_APPS - 1}
`

/** Makes the function that tells where a window that begins after a place ends; null where it is the last. */
export const createWindowEnds = ({ $client }: SqliteDatabase): ((after: ListPosition) => ListPosition | null) => {
  const windowEnd = $client.prepare<[string, number], ListPosition>(WINDOW_END)
  return ({ descriptiveName, id }) => windowEnd.get(descriptiveName, id) ?? null
}
