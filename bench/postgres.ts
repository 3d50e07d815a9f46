import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Row } from './report.ts'
import type { Setup } from './setup.ts'

const POSTGRES = 'postgres://postgres@127.0.0.1:5432/postgres'

/** The row for a measurement that needs PostgreSQL, if no server is available. */
export const NO_POSTGRES: Row = { what: 'PostgreSQL', result: 'skipped: none at TEST_POSTGRES_URL or 127.0.0.1:5432' }

/** Executes statements on a new connection. */
export const execute = async (url: string, statements: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statements)
  } finally {
    await client.end()
  }
}

/** Returns the URL of the PostgreSQL server on which to create databases, or null if it isn't available. */
export const findPostgres = async (): Promise<string | null> => {
  const server = process.env['TEST_POSTGRES_URL'] ?? POSTGRES
  return await execute(server, 'select 1').then(
    () => server,
    () => null
  )
}

/** Creates an empty database and returns its URL. The database is dropped when the measurement ends. */
export const createDatabase = async ({ defer }: Pick<Setup, 'defer'>, server: string): Promise<string> => {
  const name = `trivial_bench_${randomBytes(8).toString('hex')}`
  defer(async () => {
    await execute(server, `drop database if exists ${name} with (force)`)
  })
  await execute(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
