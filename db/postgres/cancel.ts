import { Client } from 'pg'
import type { PoolClient } from 'pg'

/**
 * Cancels the query that is running on the connection, and closes the connection. If it stayed open, a late
 * cancellation could affect another query.
 */
export const cancelQuery = (client: PoolClient): void => {
  const { host, port, processID, secretKey } = client
  // The driver sends this request without TLS, as the server expects. It contains only the connection's key.
  const { connection } = new Client({ ssl: false })
  // The server closes the connection after it has received the request. If it can't be reached, it's down.
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
