import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { test } from 'tap'
import * as schema from '../../db/postgres/schema.ts'
import { emptyPostgres, execute } from '../postgres.ts'

const FOREIGN_KEYS = `
  select conrelid::regclass::text || ' ' || attname || ' ' || confrelid::regclass::text as key
  from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
  where contype = 'f' and conparentid = 0
`
const COLUMNS = `
  select attrelid::regclass::text || ' ' || attname as column from pg_attribute join pg_class on pg_class.oid = attrelid
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and attnum > 0
`

test('the migrations of PostgreSQL make the tables that the schema describes', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const tables = Object.values(schema)
    .filter(value => value instanceof PgTable)
    .map(table => getTableConfig(table))
  t.same(
    ((await execute(url, COLUMNS)) as { column: string }[]).map(({ column }) => column).sort(),
    tables.flatMap(({ name, columns }) => columns.map(column => `${name} ${column.name}`)).sort()
  )
  t.same(
    ((await execute(url, FOREIGN_KEYS)) as { key: string }[]).map(({ key }) => key).sort(),
    tables
      .flatMap(({ name, foreignKeys }) =>
        foreignKeys.map(key => {
          const { columns, foreignTable } = key.reference()
          return `${name} ${String(columns[0]?.name)} ${getTableConfig(foreignTable).name}`
        })
      )
      .sort()
  )
})
