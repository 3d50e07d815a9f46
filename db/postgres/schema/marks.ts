import { pgTable } from 'drizzle-orm/pg-core'
import { text } from './types.ts'

// One row for each of the database's marks; see db/marks.ts. Rows are never deleted. In a database of sample data, this
// table and its row are created before all other tables; see db/postgres/marks.ts.
export const databaseMarks = pgTable('database_marks', {
  name: text('name').primaryKey(),
  markedAt: text('marked_at').notNull()
})
