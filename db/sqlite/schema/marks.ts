import { sqliteTable, text } from 'drizzle-orm/sqlite-core'

// One row for each of the database's marks; see db/marks.ts. Rows are never deleted. In a database of sample data, this
// table and its row are created before all other tables; see db/sqlite/marks.ts.
export const databaseMarks = sqliteTable('database_marks', {
  name: text('name').primaryKey(),
  markedAt: text('marked_at').notNull(),
  // Details about the mark, such as the database that this one has been copied to.
  detail: text('detail')
})
