import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import pg from 'pg'
import { CommandError } from '../../cli/failures.ts'
import type { Environment } from '../../config/read.ts'

const POSTGRES = /^postgres(ql)?:/

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
 * Makes a database on the server of `DATABASE_URL`, where that is of PostgreSQL, and else on the one of this machine.
 * Throws a CommandError where it can't be made.
 */
export const createDatabase = async (env: Environment): Promise<ClusterDatabase> => {
  const refusals: string[] = []
  for (const url of candidates(env['DATABASE_URL'])) {
    try {
      return await createAt(new URL(url))
    } catch (error) {
      refusals.push(`  ${placeOf(new URL(url))}: ${reasonOf(error)}`)
    }
  }
  throw new CommandError(`A cluster needs a PostgreSQL to make a database in, and there is none:

${refusals.join('\n')}

Start one, or name one, with a user who may make databases:

  DATABASE_URL=postgres://<user>:<password>@<host>:5432/postgres npm run cluster`)
}

const candidates = (url = ''): string[] =>
  POSTGRES.test(url)
    ? [url]
    : [...new Set(['postgres', userInfo().username])].map(user => `postgres://${user}@127.0.0.1:5432/postgres`)

const createAt = async (maintenance: URL): Promise<ClusterDatabase> => {
  const name = `trivial_cluster_${randomBytes(4).toString('hex')}`
  await execute(maintenance, `create database ${name}`)
  const url = new URL(maintenance)
  url.pathname = `/${name}`
  return {
    url: url.href,
    name,
    server: maintenance.host,
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

// The password stays where it is.
const placeOf = ({ username, host }: URL): string => `${username}@${host}`

/** Where a name has several addresses, Node's error has a message for each, and none of its own. */
const reasonOf = (error: unknown): string => {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
