import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Setup } from './setup.ts'

/** Starts a TCP proxy that delays data to and from a database by `ms` milliseconds, and returns the proxy's URL. */
export const slowLink = async ({ defer }: Pick<Setup, 'defer'>, url: string, ms: number): Promise<string> => {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const relay = (from: Socket, to: Socket): void => {
    sockets.add(from)
    let last: Promise<unknown> = Promise.resolve()
    const deliver = (work: () => void): void => {
      const due = pause(ms)
      last = last
        .then(async () => {
          await due
        })
        .then(work)
    }
    from.on('data', chunk => {
      deliver(() => to.write(chunk))
    })
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      deliver(() => to.destroy())
    })
  }
  const server = createServer({ noDelay: true }, node => {
    const database = connect({ port: Number(port === '' ? 5432 : port), host: hostname, noDelay: true })
    relay(node, database)
    relay(database, node)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const link = new URL(url)
  link.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return link.href
}
