import { Client } from 'pg'
import type { PoolClient } from 'pg'

/** What the driver has beside what its types tell. */
interface Cancelling extends Client {
  readonly activeQuery: unknown
  readonly cancel: (client: Cancelling, query: unknown) => void
}

/** Cancels what a connection works on, and ends the connection: nobody could tell what else would be cancelled. */
export const cancelQuery = (client: PoolClient): void => {
  const cancelled = client as unknown as Cancelling
  // The driver sends such a request without TLS, as the server expects it; it holds no more than the connection's key.
  const { host, port } = cancelled
  const messenger = new Client({ host, port, ssl: false }) as Cancelling
  // The server hangs up when it was told. Where it can't be told, it is away.
  const end = (): void => {
    cancelled.connection.stream.destroy()
  }
  messenger.connection.on('error', end).on('end', end)
  messenger.cancel(cancelled, cancelled.activeQuery)
}
