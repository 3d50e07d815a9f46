import { sqliteTable, text } from 'drizzle-orm/sqlite-core'

// A row for each mark of the database as a whole: see db/marks.ts. No row is ever deleted. In a database of sample data
// this table is made, with its row, before every other: see db/sqlite/marks.ts.
export const databaseMarks = sqliteTable('database_marks', {
  name: text('name').primaryKey(),
  markedAt: text('marked_at').notNull(),
  // What else there is to say of it, such as where the database was copied to.
  detail: text('detail')
})
