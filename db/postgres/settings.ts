import { userInfo } from 'node:os'
import type { ClientConfig } from 'pg'
import { postgresUrl } from '../../net/database-url.ts'
import type { StorageOptions } from '../engine.ts'

/** The address of a PostgreSQL database, and the options for opening it. */
export interface PostgresOptions extends StorageOptions {
  readonly url: string
}

export const DEFAULT_POOL_SIZE = 10
export const DEFAULT_LEASE_MS = 2000

/** The timeouts in milliseconds; see docs/operating/databases.md. */
export const TIMEOUTS = {
  connect: 2000,
  /** For a statement. The server enforces it. */
  statement: 10_000,
  /** For waiting for another transaction's lock. The server enforces it. */
  lock: 5000,
  /** For a transaction whose node has stopped between two statements, because other transactions may wait for it. */
  idleInTransaction: 1000,
  /** For a statement if the server doesn't respond at all. This process enforces it and closes the connection. */
  query: 15_000,
  /** For a lookup or a renewal, which requests wait for. */
  lookup: 900
} as const

/** The connections and the time limits for changes to keys, in milliseconds; see docs/operating/databases.md. */
export interface ChangeLimits {
  /** The number of changes that a node runs at once. */
  readonly atOnce: number
  readonly connections: number
  /** How long a change waits for earlier changes of this node. */
  readonly waitMs: number
  /** How long a change may take from the start of its turn. */
  readonly limitMs: number
  /** How much of that time must be left for another attempt. */
  readonly attemptMs: number
}

/** The limits of changes of single keys. */
export const CHANGES: ChangeLimits = {
  atOnce: 3,
  // Includes three for statements that may wait for the rows of nodes: acknowledgements, evictions and removals.
  connections: 6,
  waitMs: 2000,
  limitMs: 950,
  attemptMs: 200
}

/** The limits of changes that may affect every key. */
export const BULK_CHANGES: ChangeLimits = {
  atOnce: 1,
  connections: 1,
  waitMs: 2000,
  limitMs: 30_000,
  attemptMs: 10_000
}

/** The application name that the database shows for connections of services and commands. */
export const APPLICATION = 'trivial-api'

/**
 * Returns the name of the operating system's user, or undefined if the user has no name, which can happen in a
 * container.
 */
export const systemUser = (read: () => { username: string } = userInfo): string | undefined => {
  try {
    return read().username
  } catch {
    return undefined
  }
}

/**
 * Returns a URL with which the driver connects as libpq does. By default, the driver interprets `sslmode` differently,
 * and takes the user's name from the variable `USER`, which services often lack, rather than from the operating system.
 */
export const driverUrl = (url: string, ca?: string): string => {
  const parsed = postgresUrl(url) as URL
  parsed.searchParams.set('uselibpqcompat', 'true')
  if (ca !== undefined) parsed.searchParams.set('sslrootcert', ca)
  const given = [parsed.username, parsed.searchParams.get('user'), process.env['PGUSER']].some(Boolean)
  const user = given ? undefined : systemUser()
  if (user !== undefined) parsed.searchParams.set('user', user)
  return parsed.href
}

/**
 * Returns the options for any connection. A transaction pooler rejects session settings, so its connections have none.
 */
export const clientConfig = ({ url, listenUrl, ca }: PostgresOptions, isDirect: boolean): ClientConfig => ({
  connectionString: driverUrl(isDirect ? (listenUrl ?? url) : url, ca),
  connectionTimeoutMillis: TIMEOUTS.connect,
  keepAlive: true,
  application_name: APPLICATION,
  ...(isDirect || listenUrl === undefined
    ? {
        statement_timeout: TIMEOUTS.statement,
        lock_timeout: TIMEOUTS.lock,
        idle_in_transaction_session_timeout: TIMEOUTS.idleInTransaction
      }
    : {})
})

/** Returns the options for connections that requests wait for. */
export const directConfig = (options: PostgresOptions): ClientConfig => ({
  ...clientConfig(options, true),
  connectionTimeoutMillis: TIMEOUTS.lookup,
  query_timeout: TIMEOUTS.lookup,
  pipeline: true
})

/** Returns the options for connections that change keys within the given limits. */
export const changesConfig = (options: PostgresOptions, { limitMs }: ChangeLimits): ClientConfig => ({
  ...clientConfig(options, true),
  statement_timeout: Math.max(limitMs, TIMEOUTS.statement),
  lock_timeout: limitMs / 2,
  query_timeout: limitMs
})

/** The statements that begin a transaction. They set its timeouts, because its connection may come from a pooler. */
export const BEGIN =
  `begin isolation level read committed; ` +
  `set local idle_in_transaction_session_timeout = ${TIMEOUTS.idleInTransaction}; ` +
  `set local lock_timeout = ${TIMEOUTS.lock}; set local statement_timeout = ${TIMEOUTS.statement}`
