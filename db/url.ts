const SQLITE = /^file:([^?#]*[^?#/])$/

/** What is wrong with a `DATABASE_URL`, as the end of a sentence; null: nothing is. */
export const databaseUrlIssue = (url: string): string | null => {
  const [, path] = SQLITE.exec(url) ?? []
  if (path === undefined) return 'must be file: and the path of an SQLite database, such as file:./data/trivial.db'
  return path === ':memory:' ? 'must name a file: a database in memory would lose what was acknowledged' : null
}

/** The path that a `DATABASE_URL` of SQLite names, relative to the working directory. */
export const sqlitePathOf = (url: string): string => url.replace(/^file:/, '')
