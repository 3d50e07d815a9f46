import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { test } from 'tap'
import { RIGHTS } from '../../db/postgres/rights.ts'
import * as schema from '../../db/postgres/schema.ts'
import { pathOf } from '../../paths.ts'
import { emptyPostgres, execute } from '../postgres.ts'

const FOREIGN_KEYS = `
  select conrelid::regclass::text || ' ' || attname || ' ' || confrelid::regclass::text as key
  from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
  where contype = 'f' and conparentid = 0
`
const COLUMNS = `
  select attrelid::regclass::text || ' ' || attname as column from pg_attribute join pg_class on pg_class.oid = attrelid
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and attnum > 0
    and relname <> '__drizzle_migrations'
`

const tables = Object.values(schema)
  .filter(value => value instanceof PgTable)
  .map(table => getTableConfig(table))

test('no migration names a schema, because search_path selects it', async t => {
  const statements = readMigrationFiles({ migrationsFolder: pathOf('db/postgres/migrations') }).flatMap(
    ({ sql }) => sql
  )
  t.ok(statements.length > 50)
  t.same(
    statements.filter(statement => /"?public"?\./i.test(statement)),
    []
  )
})

test('the serving role has the privileges that it needs on each table', async t => {
  t.same(Object.keys(RIGHTS).sort(), tables.map(({ name }) => name).sort())
})

test('the PostgreSQL migrations create the tables that the schema describes', async t => {
  const url = await emptyPostgres()
  if (url === null) return
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
