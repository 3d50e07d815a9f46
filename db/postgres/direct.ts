import { Client } from 'pg'
import type { QueryArrayConfig } from 'pg'
import { asQuery, ConnectionLost } from './failures.ts'
import { gatherWrites } from './gathering.ts'
import { directConfig } from './settings.ts'
import type { PostgresOptions } from './settings.ts'

/** The channel on which nodes are told that a client key has changed. */
export const CHANNEL = 'client_key_changes'

/** One connection past any pooler, on which queries are sent without waiting for each other's replies. */
export interface DirectConnection {
  /** Throws what the server reports, and ConnectionLost; it connects if it is not connected. */
  readonly query: <Row extends unknown[]>(config: Omit<QueryArrayConfig, 'rowMode'>) => Promise<Row[]>
  readonly close: () => Promise<void>
}

/**
 * Creates a connection that is made when something is asked, and anew if it was lost or had no reply in time. With
 * `onHint` it listens: that is called when a key may have changed, since that was notified, or since a notification may
 * have been missed.
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
      // A connection that could not be made has nothing to close; whoever asked for it got the failure.
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
    // A standby may not know yet what was acknowledged.
    if (rows[0]?.standby !== false) throw new Error('the server is a standby, not the primary')
    return client
  } catch (error) {
    hangUp(client)
    throw error
  }
}

// A farewell would be waited for, and a server that is away sends none.
const hangUp = (client: Client): void => {
  client.connection.stream.destroy()
}
