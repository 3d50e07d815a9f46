import { pgTable } from 'drizzle-orm/pg-core'
import { text } from './types.ts'

// A row for each mark of the database as a whole: see db/marks.ts. No row is ever deleted. In a database of sample data
// this table is made, with its row, before every other: see db/postgres/marks.ts.
export const databaseMarks = pgTable('database_marks', {
  name: text('name').primaryKey(),
  markedAt: text('marked_at').notNull()
})
