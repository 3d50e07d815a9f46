import { Client } from 'pg'
import type { QueryArrayConfig } from 'pg'
import { asQuery, ConnectionLost } from './failures.ts'
import { gatherWrites } from './gathering.ts'
import { clientConfig, TIMEOUTS } from './settings.ts'
import type { PostgresOptions } from './settings.ts'

/** The channel on which nodes are told that a client key has changed. */
export const CHANNEL = 'client_key_changes'

/** One connection past any pooler, on which queries are sent without waiting for each other's answers. */
export interface DirectConnection {
  /** Throws what the server says, and ConnectionLost; it connects where it is not connected. */
  readonly query: <Row extends unknown[]>(config: Omit<QueryArrayConfig, 'rowMode'>) => Promise<Row[]>
  readonly close: () => Promise<void>
}

/**
 * Makes the connection for look-ups and renewals; it is made when something is asked, and anew when it was lost or did
 * not answer in time. `onHint` is called when a key may have changed: that was notified, or a notification may have
 * been missed.
 */
export const createDirectConnection = (options: PostgresOptions, onHint: () => void): DirectConnection => {
  let current: Promise<Client> | null = null
  let isClosed = false

  const open = (): Promise<Client> => {
    const client = new Client({
      ...clientConfig(options, true),
      connectionTimeoutMillis: TIMEOUTS.lookup,
      query_timeout: TIMEOUTS.lookup,
      pipeline: true
    })
    const prepared = asQuery(prepare(client))
    const forget = (): void => {
      if (current === prepared) current = null
    }
    client.on('error', forget).on('end', forget).on('notification', onHint)
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

const prepare = async (client: Client): Promise<Client> => {
  try {
    await client.connect()
    gatherWrites(client)
    // A standby, which may not know yet what was acknowledged, refuses to listen.
    await Promise.all([client.query('set synchronous_commit = on'), client.query(`listen ${CHANNEL}`)])
    return client
  } catch (error) {
    hangUp(client)
    throw error
  }
}

// A farewell would be waited for, and a server that is away answers none.
const hangUp = (client: Client): void => {
  client.connection.stream.destroy()
}
