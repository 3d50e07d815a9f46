import { readMigrationFiles } from 'drizzle-orm/migrator'
import type { MigrationMeta } from 'drizzle-orm/migrator'
import { escapeIdentifier } from 'pg'
import type { Client } from 'pg'
import { pathOf } from '../../paths.ts'
import { LACKING, LACKING_VALUES } from './rights.ts'

const MIGRATIONS = pathOf('db/postgres/migrations')

const RECORD_TABLE = '__drizzle_migrations'

/** The table that records migrations. */
interface MigrationRecord {
  readonly schema: string
  /** Whether the connection's role may read it. */
  readonly readable: boolean
}

/** The quoted name of the table that records migrations. */
export const recordName = ({ schema }: Pick<MigrationRecord, 'schema'>): string =>
  `${escapeIdentifier(schema)}.${RECORD_TABLE}`

/** The state of a database's tables, and the role that reads it. */
export interface Version {
  /** The schema of the tables. */
  readonly schema: string
  /** The role that owns the tables, or null if there are none. */
  readonly owner: string | null
  /** The role of the connection. */
  readonly role: string
  /** Whether the connection's role may create and change the tables. */
  readonly mayChange: boolean
  /** The table that records migrations, or null if there is none. */
  readonly record: MigrationRecord | null
  readonly missing: readonly MigrationMeta[]
}

const PLACE = `
  select current_database() as database, current_setting('server_encoding') as encoding, current_user as role,
    current_schema() as schema, pg_get_userbyid(relowner) as owner,
    has_schema_privilege(current_schema(), 'create') and coalesce(pg_has_role(relowner, 'usage'), true) as "mayChange"
  from (select) as one left join pg_class on pg_class.oid = to_regclass(quote_ident(current_schema()) || '.audits')
`

interface Place extends Pick<Version, 'role' | 'owner' | 'mayChange'> {
  readonly database: string
  readonly encoding: string
  readonly schema: string | null
}

// Earlier versions recorded migrations in a separate schema, which may belong to tables in another schema.
const RECORD = `
  select nspname as schema,
    has_schema_privilege(pg_namespace.oid, 'usage') and has_table_privilege(pg_class.oid, 'select') as readable
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relname = '${RECORD_TABLE}' and (nspname = current_schema() or (nspname = 'drizzle' and $1))
  order by nspname = current_schema() desc limit 1
`

const quoted = (name: string): string => JSON.stringify(name)

const refuseEncoding = ({ encoding, database }: Place): void => {
  if (encoding === 'UTF8') return
  throw new Error(
    `its encoding is ${encoding}, which lacks some characters. Create a UTF-8 database with a name other than ` +
      `${database}: create database … encoding 'UTF8' locale 'C' template template0`
  )
}

const refuseMissingRights = async (client: Client, role: string, record: MigrationRecord | null): Promise<void> => {
  const { rows } = await client.query<{ name: string }>(LACKING, LACKING_VALUES)
  const names = rows.map(({ name }) => name).concat(record?.readable === false ? recordName(record) : [])
  if (names.length === 0) return
  throw new Error(
    `the role ${quoted(role)} lacks some of the privileges that it needs on ${names.join(', ')}. ${runGrants(role)}`
  )
}

const runGrants = (role: string): string =>
  `Run trivial db grants ${role} with the owner's URL, and pipe its output to psql.`

/** Reads the state of the tables. Throws an error if the database, or the connection's role, can't be used. */
export const readVersion = async (client: Client): Promise<Version> => {
  const [{ schema, ...place }] = (await client.query<Place>(PLACE)).rows as [Place]
  refuseEncoding({ schema, ...place })
  const { role, owner, mayChange } = place
  if (schema === null) {
    throw new Error(
      `its search_path contains no existing schema that the role ${quoted(role)} may use. Create the schema. If it ` +
        `already exists: ${runGrants(role)}`
    )
  }
  const [record = null] = (await client.query<MigrationRecord>(RECORD, [owner !== null])).rows
  await refuseMissingRights(client, role, record)
  const applied = record === null ? [] : await readApplied(client, record)
  const known = readMigrationFiles({ migrationsFolder: MIGRATIONS })
  refuseMuchNewer(applied, known)
  const last = Math.max(0, ...applied)
  const missing = known.filter(({ folderMillis }) => folderMillis > last)
  return { schema, owner, role, mayChange, record, missing }
}

// Each version has at most one migration, and the previous version works with the migrated tables, because nodes are
// replaced one by one.
const refuseMuchNewer = (applied: readonly number[], known: readonly MigrationMeta[]): void => {
  const last = Math.max(...known.map(({ folderMillis }) => folderMillis))
  if (applied.filter(at => at > last).length <= 1) return
  throw new Error(
    'a much newer version of the program has changed its tables. Start that version. Nothing was changed.'
  )
}

const readApplied = async (client: Client, record: MigrationRecord): Promise<number[]> =>
  (await client.query<{ at: string }>(`select created_at as at from ${recordName(record)}`)).rows.map(({ at }) =>
    Number(at)
  )

/** Throws an error if migrations are missing that the connection's role isn't allowed to apply. */
export const refuseUnchangeable = ({ missing, mayChange, owner, role, schema }: Version): void => {
  if (missing.length === 0 || mayChange) return
  throw new Error(
    (owner === null
      ? `it has no tables in the schema ${quoted(schema)}, and the role ${quoted(role)} is not allowed to create them. `
      : `its tables are from an earlier version, and the role ${quoted(role)} is not allowed to change them. `) +
      "Run trivial db migrate with the owner's URL."
  )
}

const CREATE_RECORD = `create table ${RECORD_TABLE} (id serial primary key, hash text not null, created_at bigint)`

/** Applies all missing migrations in one transaction. Must be called while no other process changes tables. */
export const migrate = async (client: Client, { missing, record, schema }: Version): Promise<void> => {
  await client.query('begin')
  if (record === null) await client.query(CREATE_RECORD)
  const insert = `insert into ${recordName(record ?? { schema })} (hash, created_at) values ($1, $2)`
  for (const { sql, hash, folderMillis } of missing) {
    for (const statement of sql) await client.query(statement)
    await client.query(insert, [hash, folderMillis])
  }
  await client.query('commit')
}
