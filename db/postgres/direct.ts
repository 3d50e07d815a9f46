import { Client } from 'pg'
import type { QueryArrayConfig } from 'pg'
import { asQuery, ConnectionLost } from './failures.ts'
import { gatherWrites } from './gathering.ts'
import { directConfig } from './settings.ts'
import type { PostgresOptions } from './settings.ts'

/** The channel on which nodes are notified that a client key has changed. */
export const CHANNEL = 'client_key_changes'

/** A connection that bypasses any pooler. Queries are sent without waiting for the responses to earlier ones. */
export interface DirectConnection {
  /** Runs a query, and connects first if necessary. Throws the server's error, or ConnectionLost. */
  readonly query: <Row extends unknown[]>(config: Omit<QueryArrayConfig, 'rowMode'>) => Promise<Row[]>
  readonly close: () => Promise<void>
}

/**
 * Creates a connection that is opened when a query is sent, and reopened if it was lost or if a response took too long.
 * With `onHint`, it listens for notifications. `onHint` is called when a key may have changed: after each notification,
 * and after connecting, because notifications may have been missed.
 */
export const createDirectConnection = (options: PostgresOptions, onHint?: () => void): DirectConnection => {
  let current: Promise<Client> | null = null
  let isClosed = false

  const open = (): Promise<Client> => {
    const client = new Client(directConfig(options))
    const prepared = asQuery(prepare(client, onHint !== undefined))
    const forget = (): void => {
      if (current === prepared) current = null
    }
    client.on('error', forget).on('end', forget)
    if (onHint !== undefined) client.on('notification', onHint)
    prepared.then(onHint, forget)
    return prepared
  }

  return {
    query: async config => {
      if (isClosed) throw new ConnectionLost('the database is closed')
      const client = await (current ??= open())
      return (await asQuery(client.query<unknown[]>({ ...config, rowMode: 'array' }))).rows as never
    },
    close: async () => {
      isClosed = true
      // If the connection couldn't be opened, there is nothing to close, and its queries have reported the failure.
      await current?.then(hangUp).catch(() => {})
    }
  }
}

const prepare = async (client: Client, listens: boolean): Promise<Client> => {
  try {
    await client.connect()
    gatherWrites(client)
    const [, { rows }] = await Promise.all([
      listens ? client.query(`listen ${CHANNEL}`) : undefined,
      client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby')
    ])
    // A standby may not yet have received acknowledged changes.
    if (rows[0]?.standby !== false) throw new Error('the server is a standby, not the primary')
    return client
  } catch (error) {
    hangUp(client)
    throw error
  }
}

// A graceful shutdown would wait for a response from the server, which may be down.
const hangUp = (client: Client): void => {
  client.connection.stream.destroy()
}
