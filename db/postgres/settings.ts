import type { ClientConfig } from 'pg'
import { postgresUrl } from '../../net/database-url.ts'
import type { StorageOptions } from '../engine.ts'

/** Where a PostgreSQL database is, and how it is opened. */
export interface PostgresOptions extends StorageOptions {
  readonly url: string
}

export const DEFAULT_POOL_SIZE = 10
export const DEFAULT_LEASE_MS = 2000

/** After how long what hangs is given up; see docs/operating.md. */
export const TIMEOUTS = {
  connect: 2000,
  /** A statement, by the server. */
  statement: 10_000,
  /** A wait for a lock that another transaction has, by the server. */
  lock: 5000,
  /** A transaction whose node has stopped between two statements: it would hold up everybody. */
  idleInTransaction: 1000,
  /** A statement, by this process, where the server does not answer at all: the connection is given up. */
  query: 15_000,
  /** A look-up or a renewal, which requests wait for. */
  lookup: 900
} as const

/** The connections of changes of keys, and what of them is limited, in milliseconds; see docs/operating.md. */
export const CHANGES = {
  /** How many changes of a node are under way at once. */
  atOnce: 3,
  /** Three more are for what may wait for the rows of nodes: acknowledgements, evictions and removals. */
  connections: 6,
  /** For how long a change waits for those before it at this node. */
  waitMs: 2000,
  /** For how long a change takes, from its turn on. */
  limitMs: 950,
  /** What must be left of that for another attempt. */
  attemptMs: 200
} as const

/** What the database calls the connections of services and commands. */
export const APPLICATION = 'trivial-api'

/** What libpq makes of `sslmode`, which the driver would make something else of. */
const withLibpqMeaning = (url: string, ca: string | undefined): string => {
  const parsed = postgresUrl(url) as URL
  parsed.searchParams.set('uselibpqcompat', 'true')
  if (ca !== undefined) parsed.searchParams.set('sslrootcert', ca)
  return parsed.href
}

/** What every connection is made with. A pooler of transactions refuses what is set for a session. */
export const clientConfig = ({ url, listenUrl, ca }: PostgresOptions, isDirect: boolean): ClientConfig => ({
  connectionString: withLibpqMeaning(isDirect ? (listenUrl ?? url) : url, ca),
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

/** What the connections that requests wait for are made with. */
export const directConfig = (options: PostgresOptions): ClientConfig => ({
  ...clientConfig(options, true),
  connectionTimeoutMillis: TIMEOUTS.lookup,
  query_timeout: TIMEOUTS.lookup,
  pipeline: true
})

/** What the connections of changes of keys are made with. */
export const changesConfig = (options: PostgresOptions): ClientConfig => ({
  ...clientConfig(options, true),
  lock_timeout: CHANGES.limitMs / 2,
  query_timeout: CHANGES.limitMs
})

/** How a transaction begins: the time-outs are its own, wherever its connection comes from. */
export const BEGIN =
  `begin isolation level read committed; ` +
  `set local idle_in_transaction_session_timeout = ${TIMEOUTS.idleInTransaction}; ` +
  `set local lock_timeout = ${TIMEOUTS.lock}; set local statement_timeout = ${TIMEOUTS.statement}`
