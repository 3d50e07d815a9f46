import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { CommandError } from '../../cli/failures.ts'
import { ConfigError } from '../../config/read.ts'
import type { Environment } from '../../config/read.ts'
import { driverUrl, systemUser } from '../../db/postgres/settings.ts'
import { isPostgres, postgresUrl, postgresUrlIssue, shownUrl } from '../../net/database-url.ts'

// Short enough that users don't wonder whether the program hangs.
const CONNECT_MS = 5000

/** A PostgreSQL database that exists for only one run. */
export interface ClusterDatabase {
  readonly url: string
  readonly name: string
  /** The host and the port of its server. */
  readonly server: string
  /** Drops the database, and closes its remaining connections. */
  readonly drop: () => Promise<void>
}

/**
 * Creates a database on the PostgreSQL server in `DATABASE_URL`, or on this machine's server if `DATABASE_URL` isn't a
 * PostgreSQL URL. Throws a CommandError if the database can't be created, or a ConfigError if `DATABASE_URL` is
 * invalid.
 */
export const createDatabase = async (env: Environment): Promise<ClusterDatabase> => {
  const refusals: string[] = []
  for (const url of candidates(env['DATABASE_URL'])) {
    try {
      return await createAt(url)
    } catch (error) {
      refusals.push(`  ${shownUrl(url)}: ${reasonOf(error)}`)
    }
  }
  throw new CommandError(`A cluster needs a PostgreSQL server in which it can create a database, but none is available:

${refusals.join('\n')}

Start a server, or specify one with a user who can create databases:

  DATABASE_URL=postgres://<user>:<password>@<host>:5432/postgres npm run cluster`)
}

const candidates = (url = ''): string[] => {
  if (!isPostgres(url)) {
    return [...new Set(['postgres', systemUser() ?? 'postgres'])].map(
      user => `postgres://${user}@127.0.0.1:5432/postgres`
    )
  }
  const issue = postgresUrlIssue(url)
  if (issue !== null) throw new ConfigError(`DATABASE_URL ${issue}.`)
  return [url]
}

const createAt = async (url: string): Promise<ClusterDatabase> => {
  const maintenance = postgresUrl(url) as URL
  const name = `trivial_cluster_${randomBytes(4).toString('hex')}`
  await execute(maintenance, `create database ${name}`)
  const own = new URL(maintenance)
  own.pathname = `/${name}`
  return {
    url: own.href,
    name,
    server: maintenance.searchParams.get('host') ?? maintenance.host,
    drop: async () => {
      await execute(maintenance, `drop database if exists ${name} with (force)`)
    }
  }
}

const execute = async (url: URL, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: driverUrl(url.href), connectionTimeoutMillis: CONNECT_MS })
  // If the connection is lost, the pending query rejects, so the event can be ignored.
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Returns an error's message. If the host has several addresses, returns the message for the first one. */
const reasonOf = (error: unknown): string => {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
