import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import tap from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../db/open.ts'
import { freePort, missing } from './services.ts'

const USUAL = 'postgres://postgres@127.0.0.1:5432/postgres'
const DEBIAN = '/usr/lib/postgresql'

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
  delete from apps; delete from grants; delete from tags; delete from audits; delete from client_keys;
  delete from client_key_tokens; delete from client_key_usage; delete from client_key_attempts; delete from nodes;
  delete from environment_key_revocations; delete from environment_key_uses; delete from memberships;
  delete from organizations; delete from sessions; delete from user_places; delete from users; delete from rate_counters;
  delete from client_key_changes where epoch > 0;
  update app_port_counter set last = 3000;
  update audit_head set sequence = 0, hash = repeat('0', 64);
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

let found: Promise<string | null> | undefined

const findServer = async (): Promise<string | null> => {
  const named = process.env['TEST_POSTGRES_URL'] ?? ''
  if (named !== '') return named
  return (await answers(USUAL)) ? USUAL : await startServer()
}

const answers = async (url: string): Promise<boolean> =>
  await execute(url, 'select 1').then(
    () => true,
    () => false
  )

/** Starts a server with an empty folder, by Debian's package, which is stopped when the tests of the process end. */
const startServer = async (): Promise<string | null> => {
  const bin = newestBin()
  // PostgreSQL refuses to run as root.
  if (bin === null || process.getuid?.() === 0) return null
  const folder = mkdtempSync(join(tmpdir(), 'trivial-postgres-'))
  const initdb = spawnSync(join(bin, 'initdb'), ['-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '-N'])
  if (initdb.status !== 0) throw new Error(`initdb failed: ${String(initdb.stderr)}`)
  const port = await freePort()
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`]
  const server = spawn(join(bin, 'postgres'), ['-D', folder, '-p', String(port), ...settings], { stdio: 'ignore' })
  tap.teardown(async () => {
    const ended = once(server, 'exit')
    server.kill('SIGINT')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  const url = USUAL.replace('5432', String(port))
  while (!(await answers(url))) {
    if (server.exitCode !== null) throw new Error(`the PostgreSQL of the tests ended with ${server.exitCode}`)
  }
  return url
}

const newestBin = (): string | null => {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const version = versions.find(version => existsSync(join(DEBIAN, version, 'bin/initdb')))
  return version === undefined ? null : join(DEBIAN, version, 'bin')
}
