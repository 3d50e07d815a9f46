import type { PoolClient, QueryConfig } from 'pg'

/** At most how many statements a connection keeps prepared; any more are planned each time. */
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
 * A connection that has the server parse and plan statements with values once, and not each time. To be used where one
 * plan is good for all values, and not by way of a pooler, which may change the connection beneath.
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
