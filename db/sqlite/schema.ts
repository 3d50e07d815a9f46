import { sql } from 'drizzle-orm'
import { check, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

// Instants are ISO 8601 text in UTC with milliseconds, as the API shows them; they sort as they read.

export const users = sqliteTable('users', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  name: text('name').notNull(),
  email: text('email').notNull(),
  createdAt: text('created_at').notNull(),
  updatedAt: text('updated_at').notNull()
}, table => [
  uniqueIndex('users_email_unique').on(sql`lower(${table.email})`)
])

export const organizations = sqliteTable('organizations', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  name: text('name').notNull(),
  billingEmail: text('billing_email').notNull(),
  createdAt: text('created_at').notNull(),
  updatedAt: text('updated_at').notNull()
})

// An owner is one of two columns rather than a type and a number, so that foreign keys can keep it real.
export const apps = sqliteTable('apps', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  name: text('name').notNull(),
  descriptiveName: text('descriptive_name').notNull(),
  port: integer('port').notNull(),
  panels: text('panels'),
  readableBy: text('readable_by'),
  schedule: text('schedule'),
  userId: integer('user_id').references(() => users.id, { onDelete: 'restrict' }),
  organizationId: integer('organization_id').references(() => organizations.id, { onDelete: 'restrict' }),
  createdAt: text('created_at').notNull(),
  updatedAt: text('updated_at').notNull(),
  discardedAt: text('discarded_at')
}, table => [
  uniqueIndex('apps_name_unique').on(table.name),
  uniqueIndex('apps_port_unique').on(table.port),
  uniqueIndex('apps_user_descriptive_name_unique').on(table.userId, table.descriptiveName)
    .where(sql`${table.discardedAt} is null and ${table.userId} is not null`),
  uniqueIndex('apps_organization_descriptive_name_unique').on(table.organizationId, table.descriptiveName)
    .where(sql`${table.discardedAt} is null and ${table.organizationId} is not null`),
  index('apps_listing').on(table.descriptiveName, table.id),
  check('apps_one_owner', sql`(${table.userId} is null) <> (${table.organizationId} is null)`),
  check('apps_panels_json', sql`${table.panels} is null or json_valid(${table.panels})`),
  check('apps_schedule_json', sql`${table.schedule} is null or json_valid(${table.schedule})`)
])

export const tags = sqliteTable('tags', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  appId: integer('app_id').notNull().references(() => apps.id, { onDelete: 'cascade' }),
  context: text('context').notNull(),
  name: text('name').notNull()
}, table => [
  uniqueIndex('tags_app_context_name_unique').on(table.appId, table.context, table.name)
])
