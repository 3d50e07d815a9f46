import type { Client } from 'pg'
import { NOT_FOR_SAMPLE_DATA } from '../marks.ts'
import type { Mark } from '../marks.ts'

/** Finds the table of a name; where search_path names several schemas, the tables are in the first of them. */
export const FIND_TABLE = "select where to_regclass(quote_ident(current_schema()) || '.' || $1) is not null"

/** Whether a database has a table. */
export const hasTable = async (client: Client, name: string): Promise<boolean> =>
  (await client.query(FIND_TABLE, [name])).rowCount === 1

/** Whether a database, of whatever version, has a mark. */
export const hasMark = async (client: Client, mark: Mark): Promise<boolean> =>
  (await hasTable(client, 'database_marks')) &&
  (await client.query('select from database_marks where name = $1', [mark])).rowCount === 1

// Tables in other schemas are of other programs, or of another service.
const TABLES = 'select from pg_tables where schemaname = current_schema() limit 1'

// As the migration makes it, which finds it here. Statements that are sent together are one transaction.
const MARK = `
  create table database_marks (name text collate "C" primary key, marked_at text collate "C" not null);
  insert into database_marks
    values ('sample', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`

/**
 * Marks a database as sample data before its tables are made: whoever has opened a database with its tables, and found
 * no mark, never gets sample data into it. Throws where there are tables without the mark. To be called while nobody
 * else makes tables.
 */
export const markAsSample = async (client: Client): Promise<void> => {
  if (await hasMark(client, 'sample')) return
  if ((await client.query(TABLES)).rowCount !== 0) throw new Error(NOT_FOR_SAMPLE_DATA)
  await client.query(MARK)
}
