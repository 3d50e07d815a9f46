import type { Client } from 'pg'
import { NOT_FOR_SAMPLE_DATA } from '../marks.ts'
import type { Mark } from '../marks.ts'

/** Finds a table by its name. If search_path contains several schemas, the tables are in the first one. */
export const FIND_TABLE = "select where to_regclass(quote_ident(current_schema()) || '.' || $1) is not null"

/** Returns whether the database has a table with the given name. */
export const hasTable = async (client: Client, name: string): Promise<boolean> =>
  (await client.query(FIND_TABLE, [name])).rowCount === 1

/** Returns whether the database has the mark. Accepts databases of any version. */
export const hasMark = async (client: Client, mark: Mark): Promise<boolean> =>
  (await hasTable(client, 'database_marks')) &&
  (await client.query('select from database_marks where name = $1', [mark])).rowCount === 1

// Tables in other schemas belong to other programs, or to another service.
const TABLES = 'select from pg_tables where schemaname = current_schema() limit 1'

// Creates the same table as the migration, which uses it if it exists. Statements that are sent together are one
// transaction.
const MARK = `
  create table database_marks (name text collate "C" primary key, marked_at text collate "C" not null);
  insert into database_marks
    values ('sample', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`

/**
 * Marks the database as sample data before its tables are created, so that a database whose tables were created without
 * the mark never gets sample data. Throws an error if there are tables without the mark. Must be called while no other
 * process creates tables.
 */
export const markAsSample = async (client: Client): Promise<void> => {
  if (await hasMark(client, 'sample')) return
  if ((await client.query(TABLES)).rowCount !== 0) throw new Error(NOT_FOR_SAMPLE_DATA)
  await client.query(MARK)
}
