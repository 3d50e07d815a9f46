import type { ClientConfig } from 'pg'
import type { BackgroundHooks } from '../../domain/background.ts'

/** Where a PostgreSQL database is, and how it is used. Times are in milliseconds. */
export interface PostgresOptions {
  readonly url: string
  /** Where the connection goes that listens and looks keys up, if not to `url`: past a pooler of transactions. */
  readonly listenUrl?: string | undefined
  /** The path of the certificates (PEM) of the authority that signed the server's. */
  readonly ca?: string | undefined
  /** At most how many connections are open for everything but look-ups. */
  readonly poolSize?: number | undefined
  /** For how long a node trusts what it remembers of keys without hearing from the database; 0: not at all. */
  readonly leaseMs?: number | undefined
  /** What the node is called in the list of nodes. */
  readonly name?: string | undefined
  /** Whether the database is for sample data: a new one is marked as that, and one with tables but no mark refused. */
  readonly asSample?: boolean | undefined
  /** Those of the secrets of the node, the current one first; none: the process is no node, such as a command. */
  readonly generations?: readonly string[] | undefined
  /** Reports what fails in the background; nothing does by default. */
  readonly background?: BackgroundHooks | undefined
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
  lookup: 1500
} as const

/** What the database calls the connections of services and commands. */
export const APPLICATION = 'trivial-api'

/** What libpq makes of `sslmode`, which the driver would make something else of. */
const withLibpqMeaning = (url: string, ca: string | undefined): string => {
  const parsed = new URL(url)
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

/** How a transaction begins: the time-outs are its own, wherever its connection comes from. */
export const BEGIN =
  `begin isolation level read committed; ` +
  `set local idle_in_transaction_session_timeout = ${TIMEOUTS.idleInTransaction}; ` +
  `set local lock_timeout = ${TIMEOUTS.lock}; set local statement_timeout = ${TIMEOUTS.statement}`
