import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { writeGrants } from '../db/open.ts'
import { execute } from './postgres.ts'

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
