import { randomBytes } from 'node:crypto'
import pg from 'pg'
import tap from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../db/open.ts'
import { answers, createPostgresServer } from './postgres-server.ts'
import type { PostgresServer } from './postgres-server.ts'
import { missing } from './services.ts'

const USUAL = 'postgres://postgres@127.0.0.1:5432/postgres'

/**
 * The URL of a PostgreSQL database of its own for a test, dropped when the test ends. It is made on the server of
 * TEST_POSTGRES_URL, else on that of 127.0.0.1:5432, else on one that this process starts. Null: there is none, which
 * was said; with CI_DEMANDS_SERVICES=1 that is a failure.
 */
export const postgresDatabase = async (t: Test): Promise<string | null> => {
  const server = await (found ??= findServer())
  if (server === null) return missing(t, 'PostgreSQL', 'TEST_POSTGRES_URL')
  const name = `trivial_test_${randomBytes(8).toString('hex')}`
  await execute(server, `create database ${name}`)
  t.teardown(async () => {
    await execute(server, `drop database if exists ${name} with (force)`)
  })
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

// Without triggers, those of foreign keys and of the audit trail included. To truncate every table takes far longer.
const EMPTY = `
  set session_replication_role = replica;
  do $$ declare partition regclass; begin
    for partition in select inhrelid from pg_inherits where inhparent = 'client_key_usage'::regclass loop
      execute format('drop table %s', partition);
    end loop;
  end $$;
  delete from apps; delete from grants; delete from tags; delete from audits; delete from client_keys;
  delete from client_key_tokens; delete from client_key_usage; delete from client_key_attempts; delete from nodes;
  delete from environment_key_revocations; delete from environment_key_uses; delete from memberships;
  delete from organizations; delete from sessions; delete from user_places; delete from users; delete from rate_counters;
  delete from client_key_changes where epoch > 0; delete from database_marks; delete from secret_generations;
  delete from app_port_counter; insert into app_port_counter (id, last) values (1, 3000);
  delete from audit_head; insert into audit_head (id, sequence, hash) values (1, 0, repeat('0', 64));
  alter sequence apps_id_seq restart; alter sequence tags_id_seq restart; alter sequence users_id_seq restart;
  alter sequence organizations_id_seq restart; alter sequence client_keys_row_seq restart
`

let shared: Promise<string | null> | undefined

/**
 * The URL of the PostgreSQL database of a test file, with its tables and nothing in them, dropped when the file ends.
 * Only one test at a time can use it. Null: see `postgresDatabase`.
 */
export const emptyPostgres = async (): Promise<string | null> => {
  const url = await (shared ??= postgresDatabase(tap))
  if (url === null) return null
  await (await openStorage(url)).close()
  await emptied(url)
  return url
}

/** Empties a database that has its tables. */
export const emptied = async (url: string): Promise<void> => {
  await execute(url, EMPTY)
}

/** Executes one statement over a connection of its own, and answers the rows. */
export const execute = async (url: string, text: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url })
  // A connection that is ended by the server, as a test may ask for, is told by what it was to answer.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

/** A started PostgreSQL of a test's own, gone when the test ends; null as for `postgresDatabase`. */
export const ownPostgres = async (t: Test, primary?: PostgresServer): Promise<PostgresServer | null> => {
  const server = await createPostgresServer(primary)
  if (typeof server === 'string') return missing(t, `PostgreSQL to start (${server})`, 'PATH')
  t.teardown(server.remove)
  await server.start()
  return server
}

let found: Promise<string | null> | undefined

const findServer = async (): Promise<string | null> => {
  const named = process.env['TEST_POSTGRES_URL'] ?? ''
  if (named !== '') return named
  return (await answers(USUAL)) ? USUAL : await startServer()
}

/** Starts a server with an empty folder, which is stopped when the tests of the process end. */
const startServer = async (): Promise<string | null> => {
  const server = await createPostgresServer()
  if (typeof server === 'string') return null
  tap.teardown(server.remove)
  await server.start()
  return server.url
}
