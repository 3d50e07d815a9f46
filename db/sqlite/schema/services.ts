import { sql } from 'drizzle-orm'
import { check, sqliteTable, text } from 'drizzle-orm/sqlite-core'

// The services whose requests are authorized here. `scopes` is a JSON array of objects with a name and a description.
export const services = sqliteTable(
  'services',
  {
    name: text('name').primaryKey(),
    description: text('description'),
    audience: text('audience'),
    scopes: text('scopes').notNull(),
    createdAt: text('created_at').notNull(),
    updatedAt: text('updated_at').notNull()
  },
  table => [check('services_json', sql`json_valid(${table.scopes})`)]
)
