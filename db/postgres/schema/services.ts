import { pgTable } from 'drizzle-orm/pg-core'
import { text } from './types.ts'

// The services whose requests are authorized here. `scopes` is a JSON array of objects with a name and a description.
export const services = pgTable('services', {
  name: text('name').primaryKey(),
  description: text('description'),
  audience: text('audience'),
  scopes: text('scopes').notNull(),
  createdAt: text('created_at').notNull(),
  updatedAt: text('updated_at').notNull()
})
