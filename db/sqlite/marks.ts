import { toText } from '../instants.ts'
import { copiedText, NOT_FOR_SAMPLE_DATA } from '../marks.ts'
import type { Mark } from '../marks.ts'
import type { Connection } from './driver.ts'

/** Whether a database, of whatever version, has a mark. */
export const hasMark = (connection: Connection, mark: Mark): boolean =>
  connection.prepare("select 1 from sqlite_schema where name = 'database_marks'").get() !== undefined &&
  connection.prepare<[Mark]>('select 1 from database_marks where name = ?').get(mark) !== undefined

/** Whether the mark is still to be stored. Throws if there are tables without it. */
const isUnmarked = (connection: Connection): boolean => {
  if (hasMark(connection, 'sample')) return false
  if (connection.prepare('select 1 from sqlite_schema').get() !== undefined) throw new Error(NOT_FOR_SAMPLE_DATA)
  return true
}

/** Throws if a database has tables without the mark, and changes nothing. */
export const refuseUnmarked = (connection: Connection): void => {
  connection.transaction(() => isUnmarked(connection))()
}

/**
 * Marks a database as sample data before its tables are made: whoever has opened a database with its tables, and found
 * no mark, never gets sample data into it. Throws what `refuseUnmarked` throws.
 */
export const markAsSample = (connection: Connection): void => {
  const mark = connection.transaction(() => {
    if (!isUnmarked(connection)) return
    // As the migration makes it, which finds it here.
    connection.exec('create table database_marks (name text primary key not null, marked_at text not null)')
    connection.prepare<[string]>(`insert into database_marks values ('sample', ?)`).run(toText(new Date()))
  })
  mark.immediate()
}

/** Where a database was copied to; null: nowhere. */
export const copyTargetOf = (connection: Connection): string | null => {
  if (!hasMark(connection, 'copied')) return null
  return String(connection.prepare("select detail from database_marks where name = 'copied'").pluck().get())
}

/** Marks a database as copied, and notes where to. */
export const markAsCopied = (connection: Connection, target: string): void => {
  connection
    .prepare<[string, string]>(
      "insert or replace into database_marks (name, marked_at, detail) values ('copied', ?, ?)"
    )
    .run(toText(new Date()), target)
}

/** Throws if a database was copied: a service of the target does not see what is changed here. */
export const refuseCopied = (connection: Connection): void => {
  const target = copyTargetOf(connection)
  if (target !== null) throw new Error(copiedText(target))
}
