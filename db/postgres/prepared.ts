import type { PoolClient, QueryConfig } from 'pg'

/** The maximum number of statements that a connection keeps prepared. Others are planned each time. */
const MAX_STATEMENTS = 500

const names = new Map<string, string>()

const nameOf = (text: string): string | undefined => {
  const known = names.get(text)
  if (known !== undefined || names.size === MAX_STATEMENTS) return known
  const name = `statement_${names.size}`
  names.set(text, name)
  return name
}

/**
 * Returns a connection on which the server parses and plans each statement with values only once. Use it only if one
 * plan suits all values. It doesn't work with a pooler, which may change the underlying connection.
 */
export const preparing = (client: PoolClient): PoolClient => {
  const query = (statement: string | QueryConfig, values?: unknown[]): unknown => {
    const config: QueryConfig = typeof statement === 'string' ? { text: statement } : statement
    return values === undefined || values.length === 0
      ? client.query(config)
      : client.query({ ...config, name: nameOf(config.text), values })
  }
  return Object.create(client, { query: { value: query } }) as PoolClient
}
