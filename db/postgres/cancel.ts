import { Client } from 'pg'
import type { PoolClient } from 'pg'

/** What the driver has beside what its types tell. */
interface Backend {
  readonly host: string
  readonly port: number
  readonly processID: number
  readonly secretKey: number
}

interface Messenger {
  readonly connect: (portOrPath: number | string, host?: string) => void
  readonly cancel: (processID: number, secretKey: number) => void
}

/** Cancels what a connection works on, and ends the connection: nobody could tell what else would be cancelled. */
export const cancelQuery = (client: PoolClient): void => {
  const { host, port, processID, secretKey } = client as unknown as Backend
  // The driver sends such a request without TLS, as the server expects it; it holds no more than the connection's key.
  const { connection } = new Client({ ssl: false })
  const messenger = connection as unknown as Messenger
  // The server hangs up when it was told. Where it can't be told, it is away.
  const end = (): void => {
    client.connection.stream.destroy()
  }
  connection.on('error', end).on('end', end)
  connection.on('connect', () => {
    messenger.cancel(processID, secretKey)
  })
  if (host.startsWith('/')) messenger.connect(`${host}/.s.PGSQL.${port}`)
  else messenger.connect(port, host)
}
