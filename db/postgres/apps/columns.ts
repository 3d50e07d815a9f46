import { sql } from 'drizzle-orm'
import type { App } from '../../../domain/apps/app.ts'
import { toDate, toOptionalDate } from '../../timestamps.ts'

// Concatenates strings, because PostgreSQL adds spaces to the JSON objects that it creates. Clients get this JSON
// unchanged.
export const tagsJson = sql`(
  select coalesce(
    '[' || string_agg(
      '{"id":' || tag.id || ',"context":' || to_json(tag.context) || ',"name":' || to_json(tag.name) || '}',
      ',' order by tag.id
    ) || ']',
    '[]'
  )
  from tags as tag where tag.app_id = apps.id
)`

/** The columns of an app, except for its tags. */
export const appColumns = sql`
  apps.id, apps.name, apps.descriptive_name, apps.port, apps.panels, apps.readable_by, apps.schedule, apps.user_id,
  apps.organization_id, apps.created_at, apps.updated_at, apps.discarded_at
`

/** A row of `appColumns`, with the tags. */
export interface AppRow {
  id: string
  name: string
  descriptive_name: string
  port: string
  panels: string | null
  readable_by: string | null
  schedule: string | null
  user_id: string | null
  organization_id: string | null
  tags: string
  created_at: string
  updated_at: string
  discarded_at: string | null
}

export const toApp = (row: AppRow): App => ({
  id: Number(row.id),
  name: row.name,
  descriptiveName: row.descriptive_name,
  port: Number(row.port),
  panels: row.panels,
  readableBy: row.readable_by,
  schedule: row.schedule,
  owner:
    row.user_id === null
      ? { type: 'Organization', id: Number(row.organization_id) }
      : { type: 'User', id: Number(row.user_id) },
  tags: row.tags,
  createdAt: toDate(row.created_at),
  updatedAt: toDate(row.updated_at),
  discardedAt: toOptionalDate(row.discarded_at)
})
