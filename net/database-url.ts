const SQLITE = /^file:([^?#]*[^?#/])$/
const POSTGRES = /^postgres(?:ql)?:/
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']

/** What is wrong with a `DATABASE_URL`, as the end of a sentence that does not repeat it; null: nothing is. */
export const databaseUrlIssue = (url: string): string | null => {
  if (POSTGRES.test(url)) return postgresUrlIssue(url)
  const [, path] = SQLITE.exec(url) ?? []
  if (path === undefined) {
    return (
      'must be file: and the path of an SQLite database, such as file:./data/trivial.db, or a postgres: URL, such as ' +
      'postgres://trivial@db.example.com/trivial?sslmode=verify-full'
    )
  }
  if (path === ':memory:') return 'must name a file: a database in memory would lose what was acknowledged'
  // Only a shell expands these; a folder of that name would be created.
  return /^(?:~|\$|%\w+%)/.test(path)
    ? 'must have the path itself: ~ and variables are not expanded here. Write it out: file:/home/ada/trivial.db'
    : null
}

/** The same of the URL of a PostgreSQL database. */
export const postgresUrlIssue = (url: string): string | null => {
  const parsed = POSTGRES.test(url) ? postgresUrl(url) : null
  if (parsed === null) return 'must be a postgres: URL, such as postgres://trivial@db.example.com/trivial'
  const host = parsed.searchParams.get('host') ?? parsed.host
  if (host === '' || parsed.pathname.length < 2) {
    return 'must name a host and a database; for a socket, put ?host=/run/postgresql after the database'
  }
  const mode = parsed.searchParams.get('sslmode') ?? 'disable'
  return SSL_MODES.includes(mode) ? null : `must have one of these as sslmode: ${SSL_MODES.join(', ')}`
}

const NO_HOST = /^(\w+:\/\/[^/?#]*@)(?=\/)/
const PLACEHOLDER = 'socket'

/**
 * A URL of a PostgreSQL database; null if it can't be parsed. As libpq reads it, `?host=` overrides the host before the
 * path, which may then be missing: `postgres://ada@/trivial?host=/run/postgresql`. WHATWG's URL must have one there.
 */
export const postgresUrl = (url: string): URL | null => {
  const text = /[?&]host=/.test(url) ? url.replace(NO_HOST, `$1${PLACEHOLDER}`) : url
  return URL.canParse(text) ? new URL(text) : null
}

export const isPostgres = (url: string): boolean => POSTGRES.test(url)

/** The path that a `DATABASE_URL` of SQLite names, relative to the working directory. */
export const sqlitePathOf = (url: string): string => url.replace(/^file:/, '')

/** A `DATABASE_URL` as it may be shown: without what may be secret in it. */
export const shownUrl = (url: string): string => {
  if (!isPostgres(url)) return url
  const { protocol, username, host, pathname, searchParams } = postgresUrl(url) as URL
  const socket = searchParams.get('host')
  const user = username === '' ? '' : `${username}@`
  return socket === null ? `${protocol}//${user}${host}${pathname}` : `${protocol}//${user}${pathname}?host=${socket}`
}
