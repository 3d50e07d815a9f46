import { Client } from 'pg'
import type { PoolClient } from 'pg'

/** Cancels what a connection works on, and ends the connection: nobody could tell what else would be cancelled. */
export const cancelQuery = (client: PoolClient): void => {
  const { host, port, processID, secretKey } = client
  // The driver sends such a request without TLS, as the server expects it; it holds no more than the connection's key.
  const { connection } = new Client({ ssl: false })
  // The server hangs up when it was told. Where it can't be told, it is away.
  const end = (): void => {
    client.connection.stream.destroy()
  }
  connection.on('error', end).on('end', end)
  connection.on('connect', () => {
    connection.cancel(processID, secretKey)
  })
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
  else connection.connect(port, host)
}
