import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { StorageOptions } from '../db/engine.ts'
import { openStorage, writeGrants } from '../db/open.ts'
import type { Storage } from '../db/storage.ts'
import { createKeyService } from '../domain/keys/service.ts'
import { need, newSecret, operator } from './helper.ts'
import { execute, postgresDatabase } from './postgres.ts'

/** A role of PostgreSQL. */
export interface Role {
  readonly name: string
  /** The URL of the database for which it was created, with the role in it. */
  readonly url: string
}

/** The URL of a database, with a schema that search_path selects. */
export const inSchema = (url: string, schema: string): string => {
  const selecting = new URL(url)
  selecting.searchParams.set('options', `-c search_path=${schema}`)
  return selecting.href
}

/** Creates a role that has no rights yet in a database, dropped with all it has when the test ends. */
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

/** Creates a role that may create tables in a schema of its own name, and nothing more. */
export const newOwner = async (t: Test, database: string): Promise<Role> => {
  const owner = await newRole(t, database)
  await execute(database, `create schema ${owner.name}; grant usage, create on schema ${owner.name} to ${owner.name}`)
  t.teardown(async () => {
    await execute(database, `drop schema ${owner.name} cascade`)
  })
  return owner
}

/** Gives a role the rights to serve from the tables of a database, whose owner is named by the URL. */
export const letServe = async (owner: string, { name }: Role): Promise<void> => {
  await execute(owner, await writeGrants({ DATABASE_URL: owner, DATABASE_CA: '', DATABASE_LISTEN_URL: '' }, name))
}

/** The URL of a new database; there must be a server. */
export const newDatabase = async (t: Test): Promise<string> =>
  need((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')

/** Opens a database until the test ends. */
export const open = async (t: Test, url: string, options?: StorageOptions): Promise<Storage> => {
  const storage = await openStorage(url, options)
  t.teardown(storage.close)
  return storage
}

/** Issues a key and revokes it, as a node; each node must obey. */
export const changeKeys = async (storage: Storage, name = 'k'): Promise<void> => {
  await storage.keyLookup.barrier()
  const keys = createKeyService({ store: storage.keys, secret: newSecret() })
  const { key } = await keys.issue({ name }, operator)
  await keys.revoke(key.id, null, operator)
}

/** What a start that is refused says; `opened`: it is not refused. */
export const refusalOf = async (url: string): Promise<string> => {
  try {
    await (await openStorage(url)).close()
    return 'opened'
  } catch (error) {
    return (error as Error).message
  }
}

/** How many tables each schema of a database has, partitions included. */
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
