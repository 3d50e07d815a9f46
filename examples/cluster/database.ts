import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import pg from 'pg'
import { CommandError } from '../../cli/failures.ts'
import { ConfigError } from '../../config/read.ts'
import type { Environment } from '../../config/read.ts'
import { isPostgres, postgresUrl, postgresUrlIssue, shownUrl } from '../../net/database-url.ts'

// Less than it takes to wonder what is going on.
const CONNECT_MS = 5000

/** A PostgreSQL database that is there for one run. */
export interface ClusterDatabase {
  readonly url: string
  readonly name: string
  /** The host and the port of its server. */
  readonly server: string
  /** Drops it, whoever is still connected. */
  readonly drop: () => Promise<void>
}

/**
 * Creates a database on the server of `DATABASE_URL` if that is PostgreSQL, else on the server of this machine. Throws
 * a CommandError if it can't be created, and a ConfigError if `DATABASE_URL` isn't valid.
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
  throw new CommandError(`A cluster needs a PostgreSQL to make a database in, and there is none:

${refusals.join('\n')}

Start one, or name one, with a user who may make databases:

  DATABASE_URL=postgres://<user>:<password>@<host>:5432/postgres npm run cluster`)
}

const candidates = (url = ''): string[] => {
  if (!isPostgres(url)) {
    return [...new Set(['postgres', userInfo().username])].map(user => `postgres://${user}@127.0.0.1:5432/postgres`)
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
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: CONNECT_MS })
  // A connection that is lost is told by what it was to answer.
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Where a name has several addresses, Node's error has a message for each, and none of its own. */
const reasonOf = (error: unknown): string => {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
