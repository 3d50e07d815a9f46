import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { StorageOptions } from '../db/engine.ts'
import { openStorage, writeGrants } from '../db/open.ts'
import type { Storage } from '../db/storage.ts'
import { createKeyService } from '../domain/keys/service.ts'
import { required, newSecret, operator } from './helper.ts'
import { execute, postgresDatabase } from './postgres.ts'

/** A PostgreSQL role. */
export interface Role {
  readonly name: string
  /** The URL of the role's database, with the role as the user. */
  readonly url: string
}

/** Returns a database URL with a schema as its search_path. */
export const inSchema = (url: string, schema: string): string => {
  const selecting = new URL(url)
  selecting.searchParams.set('options', `-c search_path=${schema}`)
  return selecting.href
}

/** Creates a role that has no privileges in a database. The role and its objects are dropped when the test ends. */
export const newRole = async (t: Test, database: string, name = ''): Promise<Role> => {
  const unique = `trivial_test_${randomBytes(8).toString('hex')}${name}`
  const quoted = `"${unique.replaceAll('"', '""')}"`
  const password = randomBytes(8).toString('hex')
  await execute(database, `create role ${quoted} login password '${password}'`)
  t.teardown(async () => {
    await execute(database, `drop owned by ${quoted} cascade; drop role ${quoted}`)
  })
  const url = new URL(database)
  url.username = encodeURIComponent(unique)
  url.password = password
  return { name: unique, url: url.href }
}

/**
 * Creates a role, and a schema with the same name in which the role may create tables. The role has no other
 * privileges.
 */
export const newOwner = async (t: Test, database: string): Promise<Role> => {
  const owner = await newRole(t, database)
  await execute(database, `create schema ${owner.name}; grant usage, create on schema ${owner.name} to ${owner.name}`)
  t.teardown(async () => {
    await execute(database, `drop schema ${owner.name} cascade`)
  })
  return owner
}

/** Grants a role the privileges that a node needs. `owner` is the database URL with the tables' owner as the user. */
export const grantNodePrivileges = async (owner: string, { name }: Role): Promise<void> => {
  await execute(owner, await writeGrants({ DATABASE_URL: owner, DATABASE_CA: '', DATABASE_LISTEN_URL: '' }, name))
}

/** Creates a database and returns its URL. Throws if there is no server. */
export const newDatabase = async (t: Test): Promise<string> =>
  required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')

/** Opens a database, and closes it when the test ends. */
export const open = async (t: Test, url: string, options?: StorageOptions): Promise<Storage> => {
  const storage = await openStorage(url, options)
  t.teardown(storage.close)
  return storage
}

/** Issues and revokes a key on a node, so that every other node has changes to apply. */
export const changeKeys = async (storage: Storage, name = 'k'): Promise<void> => {
  await storage.keyLookup.barrier()
  const keys = createKeyService({ store: storage.keys, secret: newSecret() })
  const { key } = await keys.issue({ name }, operator)
  await keys.revoke(key.id, null, operator)
}

/** Returns the error message if the database can't be opened, or `opened` if it can. */
export const refusalOf = async (url: string): Promise<string> => {
  try {
    await (await openStorage(url)).close()
    return 'opened'
  } catch (error) {
    return (error as Error).message
  }
}

/** Returns the number of tables in each schema of a database, including partitions. */
export const schemasOf = async (url: string): Promise<unknown> =>
  Object.fromEntries(
    ((await execute(url, SCHEMAS)) as { schema: string; tables: number }[]).map(({ schema, tables }) => [
      schema,
      tables
    ])
  )

const SCHEMAS = `
  select nspname as schema, count(*)::int as tables from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema' group by nspname
`
