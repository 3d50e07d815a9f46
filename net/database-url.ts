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
  return path === ':memory:' ? 'must name a file: a database in memory would lose what was acknowledged' : null
}

/** The same of the URL of a PostgreSQL database. */
export const postgresUrlIssue = (url: string): string | null => {
  const parsed = POSTGRES.test(url) && URL.canParse(url) ? new URL(url) : null
  if (parsed === null) return 'must be a postgres: URL, such as postgres://trivial@db.example.com/trivial'
  if (parsed.hostname === '' || parsed.pathname.length < 2) return 'must name a host and a database'
  const mode = parsed.searchParams.get('sslmode') ?? 'disable'
  return SSL_MODES.includes(mode) ? null : `must have one of these as sslmode: ${SSL_MODES.join(', ')}`
}

export const isPostgres = (url: string): boolean => POSTGRES.test(url)

/** The path that a `DATABASE_URL` of SQLite names, relative to the working directory. */
export const sqlitePathOf = (url: string): string => url.replace(/^file:/, '')

/** A `DATABASE_URL` as it may be shown: without what may be secret in it. */
export const shownUrl = (url: string): string => {
  if (!isPostgres(url)) return url
  const { protocol, username, host, pathname } = new URL(url)
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
}
