import { toText } from '../timestamps.ts'
import { copiedText, NOT_FOR_SAMPLE_DATA } from '../marks.ts'
import type { Mark } from '../marks.ts'
import type { Connection } from './driver.ts'

/** Returns whether the database has the mark. Accepts databases of any version. */
export const hasMark = (connection: Connection, mark: Mark): boolean =>
  connection.prepare("select 1 from sqlite_schema where name = 'database_marks'").get() !== undefined &&
  connection.prepare<[Mark]>('select 1 from database_marks where name = ?').get(mark) !== undefined

/** Returns whether the mark must be stored. Throws an error if the database has tables but not the mark. */
const isUnmarked = (connection: Connection): boolean => {
  if (hasMark(connection, 'sample')) return false
  if (connection.prepare('select 1 from sqlite_schema').get() !== undefined) throw new Error(NOT_FOR_SAMPLE_DATA)
  return true
}

/** Throws an error if the database has tables but not the mark. Doesn't change anything. */
export const refuseUnmarked = (connection: Connection): void => {
  connection.transaction(() => isUnmarked(connection))()
}

/**
 * Marks the database as sample data before its tables are created, so that a database whose tables were created without
 * the mark never gets sample data. Throws the same error as `refuseUnmarked`.
 */
export const markAsSample = (connection: Connection): void => {
  const mark = connection.transaction(() => {
    if (!isUnmarked(connection)) return
    // Creates the same table as the migration, which uses it if it exists.
    connection.exec('create table database_marks (name text primary key not null, marked_at text not null)')
    connection.prepare<[string]>(`insert into database_marks values ('sample', ?)`).run(toText(new Date()))
  })
  mark.immediate()
}

/** Returns the database that this one has been copied to, or null if it hasn't been copied. */
export const copyTargetOf = (connection: Connection): string | null => {
  if (!hasMark(connection, 'copied')) return null
  return String(connection.prepare("select detail from database_marks where name = 'copied'").pluck().get())
}

/** Marks the database as copied, and stores the target. */
export const markAsCopied = (connection: Connection, target: string): void => {
  connection
    .prepare<[string, string]>(
      "insert or replace into database_marks (name, marked_at, detail) values ('copied', ?, ?)"
    )
    .run(toText(new Date()), target)
}

/**
 * Throws an error if the database has been copied, because the target's services don't get changes that are made here.
 */
export const refuseCopied = (connection: Connection): void => {
  const target = copyTargetOf(connection)
  if (target !== null) throw new Error(copiedText(target))
}
