import { isUnexpanded } from './unexpanded.ts'

const SQLITE = /^file:([^?#]*[^?#/])$/
const POSTGRES = /^postgres(?:ql)?:/
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']

// The driver ignores parameters that it doesn't know. Some other libpq parameters would override this service's
// timeouts.
const PARAMETERS = ['host', 'port', 'user', 'password', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'options']

/**
 * Returns what is wrong with a `DATABASE_URL`, or null if it's fine. The string completes a sentence and never contains
 * the URL.
 */
export const databaseUrlIssue = (url: string): string | null => {
  if (POSTGRES.test(url)) return postgresUrlIssue(url)
  const [, path] = SQLITE.exec(url) ?? []
  if (path === undefined) {
    return (
      'must be file: followed by the path of an SQLite database, such as file:./data/trivial.db, or a postgres: ' +
      'URL, such as postgres://trivial@db.example.com/trivial?sslmode=verify-full'
    )
  }
  if (/^\/\/(?!\/)/.test(path)) return 'must not contain a host: write file:/ or file:/// before the path'
  if (path === ':memory:') return 'must specify a file, because an in-memory database would lose acknowledged changes'
  return isUnexpanded(path)
    ? 'must contain the full path, such as file:/home/ada/trivial.db: ~ and variables are not expanded here'
    : null
}

/** Does the same as `databaseUrlIssue`, but accepts only PostgreSQL URLs. */
export const postgresUrlIssue = (url: string): string | null => {
  const parsed = POSTGRES.test(url) ? postgresUrl(url) : null
  if (parsed === null) return 'must be a postgres: URL, such as postgres://trivial@db.example.com/trivial'
  const issue = parameterIssue(parsed)
  if (issue !== null) return issue
  const host = parsed.searchParams.get('host') ?? parsed.host
  if (host === '' || parsed.pathname.length < 2) {
    return 'must contain a host and a database; for a socket, add ?host=/run/postgresql after the database'
  }
  const mode = parsed.searchParams.get('sslmode') ?? 'disable'
  return SSL_MODES.includes(mode) ? null : `must set sslmode to one of these values: ${SSL_MODES.join(', ')}`
}

const parameterIssue = ({ searchParams, hash }: URL): string | null => {
  const names = [...searchParams.keys()]
  if (!names.every(name => PARAMETERS.includes(name))) {
    return `has an unknown parameter; known parameters are ${PARAMETERS.join(', ')}`
  }
  if (new Set(names).size < names.length) return 'has a parameter more than once; keep one of its values'
  // The driver ignores the fragment, which may contain parameters or the rest of a password.
  if (hash !== '') return 'must not contain #; write # itself as %23'
  const port = searchParams.get('port') ?? '1'
  return /^[1-9]\d{0,4}$/.test(port) && Number(port) <= MAX_PORT ? null : `must have a port from 1 to ${MAX_PORT}`
}

const MAX_PORT = 65535

const NO_HOST = /^(\w+:\/\/[^/?#]*@)(?=\/)/
const PLACEHOLDER = 'socket'

/**
 * Parses a PostgreSQL URL. Returns null if it can't be parsed. As in libpq, `?host=` overrides the host before the
 * path, which can then be omitted: `postgres://ada@/trivial?host=/run/postgresql`. A WHATWG URL requires a host there,
 * so a placeholder is inserted.
 */
export const postgresUrl = (url: string): URL | null => {
  const text = /[?&]host=/.test(url) ? url.replace(NO_HOST, `$1${PLACEHOLDER}`) : url
  return URL.canParse(text) ? new URL(text) : null
}

export const isPostgres = (url: string): boolean => POSTGRES.test(url)

/** Returns the path in an SQLite `DATABASE_URL`. It may be relative to the working directory. */
export const sqlitePathOf = (url: string): string => url.replace(/^file:/, '')

/** Returns a `DATABASE_URL` for display, without the parts that may be secret. */
export const shownUrl = (url: string): string => {
  if (!isPostgres(url)) return url
  const { protocol, username, host, pathname, searchParams } = postgresUrl(url) as URL
  const user = username === '' ? '' : `${username}@`
  const query = SHOWN.flatMap(name => {
    const value = searchParams.get(name)
    return value === null ? [] : [`${name}=${value}`]
  }).join('&')
  return `${protocol}//${user}${searchParams.has('host') ? '' : host}${pathname}${query === '' ? '' : `?${query}`}`
}

const SHOWN = ['host', 'port', 'user']
