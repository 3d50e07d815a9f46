import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { App, Owner } from '../../../domain/apps/app.ts'
import { toDate, toOptionalDate } from '../../timestamps.ts'
import type { SqliteDatabase } from '../database.ts'
import { apps } from '../schema.ts'

// Written as SQL, because Drizzle omits table names in a selection, and `id` would then mean the tag's id.
const tagsJson = sql<string>`(
  select json_group_array(json_object('id', tag.id, 'context', tag.context, 'name', tag.name) order by tag.id)
  from tags as tag where tag.app_id = apps.id
)`

/** The columns of an app, in the order of `AppRow`. */
export const appColumns = {
  id: apps.id,
  name: apps.name,
  descriptiveName: apps.descriptiveName,
  port: apps.port,
  panels: apps.panels,
  readableBy: apps.readableBy,
  schedule: apps.schedule,
  ownerType: sql<Owner['type']>`case when user_id is null then 'Organization' else 'User' end`,
  ownerId: sql<number>`coalesce(user_id, organization_id)`,
  tags: tagsJson,
  createdAt: apps.createdAt,
  updatedAt: apps.updatedAt,
  discardedAt: apps.discardedAt
}

/** A row of `appColumns` as an array, which takes half as long to create as an object. */
export type AppRow = [
  id: number,
  name: string,
  descriptiveName: string,
  port: number,
  panels: string | null,
  readableBy: string | null,
  schedule: string | null,
  ownerType: Owner['type'],
  ownerId: number,
  tags: string,
  createdAt: string,
  updatedAt: string,
  discardedAt: string | null
]

export const toApp = ([
  id,
  name,
  descriptiveName,
  port,
  panels,
  readableBy,
  schedule,
  ownerType,
  ownerId,
  tags,
  createdAt,
  updatedAt,
  discardedAt
]: AppRow): App => ({
  id,
  name,
  descriptiveName,
  port,
  panels,
  readableBy,
  schedule,
  owner: { type: ownerType, id: ownerId },
  tags,
  createdAt: toDate(createdAt),
  updatedAt: toDate(updatedAt),
  discardedAt: toOptionalDate(discardedAt)
})

/** Creates a function that converts a selection of apps to a statement and its parameters. */
export const createAppStatements =
  (db: SqliteDatabase) =>
  (condition: SQL | undefined, ...order: readonly SQL[]) => {
    const { sql: text, params } = db
      .select(appColumns)
      .from(apps)
      .where(condition)
      .orderBy(...order)
      .toSQL()
    return { rows: db.$client.prepare<unknown[], AppRow>(text).raw(), params }
  }
