import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { organizations, users } from './users.ts'

// The owner is stored in one of two columns, rather than as a type and an id, so that foreign keys can ensure that the
// owner exists.
export const apps = sqliteTable(
  'apps',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    name: text('name').notNull(),
    descriptiveName: text('descriptive_name').notNull(),
    port: integer('port').notNull(),
    readableBy: text('readable_by'),
    userId: integer('user_id').references(() => users.id, { onDelete: 'restrict' }),
    organizationId: integer('organization_id').references(() => organizations.id, { onDelete: 'restrict' }),
    createdAt: text('created_at').notNull(),
    updatedAt: text('updated_at').notNull(),
    discardedAt: text('discarded_at'),
    // These columns are last because they may be large. SQLite would read through them to get to a later column.
    schedule: text('schedule'),
    panels: text('panels')
  },
  table => [
    uniqueIndex('apps_name_unique').on(table.name),
    uniqueIndex('apps_port_unique')
      .on(table.port)
      .where(sql`${table.discardedAt} is null`),
    uniqueIndex('apps_user_descriptive_name_unique')
      .on(table.userId, table.descriptiveName)
      .where(sql`${table.discardedAt} is null and ${table.userId} is not null`),
    uniqueIndex('apps_organization_descriptive_name_unique')
      .on(table.organizationId, table.descriptiveName)
      .where(sql`${table.discardedAt} is null and ${table.organizationId} is not null`),
    index('apps_listing').on(table.descriptiveName, table.id),
    // These indexes and the one on grants find the apps that a user may read; see db/app-visibility.ts.
    index('apps_user').on(table.userId),
    index('apps_organization').on(table.organizationId),
    index('apps_public')
      .on(table.readableBy)
      .where(sql`${table.readableBy} is not null`),
    check('apps_one_owner', sql`(${table.userId} is null) <> (${table.organizationId} is null)`),
    check('apps_panels_json', sql`${table.panels} is null or json_valid(${table.panels})`),
    check('apps_schedule_json', sql`${table.schedule} is null or json_valid(${table.schedule})`)
  ]
)

// One row for each combination of user, app and permission.
export const grants = sqliteTable(
  'grants',
  {
    appId: integer('app_id')
      .notNull()
      .references(() => apps.id, { onDelete: 'cascade' }),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    permit: integer('permit').notNull()
  },
  table => [
    primaryKey({ columns: [table.appId, table.userId, table.permit] }),
    index('grants_user').on(table.userId, table.appId, table.permit),
    check('grants_permit', sql`${table.permit} in (1, 2, 4, 8, 16, 32)`)
  ]
)

export const tags = sqliteTable(
  'tags',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    appId: integer('app_id')
      .notNull()
      .references(() => apps.id, { onDelete: 'cascade' }),
    context: text('context').notNull(),
    name: text('name').notNull()
  },
  table => [uniqueIndex('tags_app_context_name_unique').on(table.appId, table.context, table.name)]
)

// A single row with the highest port that has been assigned to an app. A new app gets the next port or, after the last
// one, a port that is free again.
export const appPortCounter = sqliteTable('app_port_counter', {
  id: integer('id').primaryKey(),
  last: integer('last').notNull()
})
