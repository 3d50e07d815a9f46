import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import tap from 'tap'
import type { Test } from 'tap'
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
