import { randomBytes } from 'node:crypto'
import pg from 'pg'
import tap from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../db/open.ts'
import { createPostgresServer, responds } from './postgres-server.ts'
import type { PostgresServer } from './postgres-server.ts'
import { missing } from './services.ts'

const USUAL = 'postgres://postgres@127.0.0.1:5432/postgres'

/**
 * Creates a PostgreSQL database for a test, drops it when the test ends, and returns its URL. Uses the server that
 * TEST_POSTGRES_URL specifies, the server at 127.0.0.1:5432, or else a server that this process starts. If no server
 * is available, skips the test and returns null, or throws if CI_DEMANDS_SERVICES=1.
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

// Deletes the rows with all triggers disabled, including those of foreign keys and of the audit trail, because
// truncating all tables takes much longer.
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
  delete from services;
  delete from app_port_counter; insert into app_port_counter (id, last) values (1, 3000);
  delete from audit_head; insert into audit_head (id, sequence, hash) values (1, 0, repeat('0', 64));
  alter sequence apps_id_seq restart; alter sequence tags_id_seq restart; alter sequence users_id_seq restart;
  alter sequence organizations_id_seq restart; alter sequence client_keys_row_seq restart
`

let shared: Promise<string | null> | undefined

/**
 * Returns the URL of an empty, migrated PostgreSQL database that the tests in a file share. It is dropped when the last
 * test in the file ends. Only one test at a time can use it. If no server is available, does the same as
 * `postgresDatabase`.
 */
export const emptyPostgres = async (): Promise<string | null> => {
  const url = await (shared ??= postgresDatabase(tap))
  if (url === null) return null
  await (await openStorage(url)).close()
  await emptied(url)
  return url
}

/** Empties a migrated database. */
export const emptied = async (url: string): Promise<void> => {
  await execute(url, EMPTY)
}

/** Executes a statement on a separate connection, and returns the rows. */
export const execute = async (url: string, text: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url })
  // This event is ignored, because the query also rejects if the server closes the connection, as a test may request.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

/**
 * Starts a separate PostgreSQL server, and removes it when the test ends. If PostgreSQL isn't available, skips the test
 * and returns null, or throws if CI_DEMANDS_SERVICES=1.
 */
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
  return (await responds(USUAL)) ? USUAL : await startServer()
}

/** Starts a new, empty server, which is removed when all tests in this process have ended. */
const startServer = async (): Promise<string | null> => {
  const server = await createPostgresServer()
  if (typeof server === 'string') return null
  tap.teardown(server.remove)
  await server.start()
  return server.url
}
