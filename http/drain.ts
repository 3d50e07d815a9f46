import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** How long a client that keeps a connection open has to send its next request, whose reply tells it to close. */
const DRAIN_DELAY_MS = 1000

/**
 * Has `fastify.close()` lose no request of a client that uses its connection again and again. From the call on, Fastify
 * says `Connection: close` in every reply. A connection that is idle at that moment stays open for `DRAIN_DELAY_MS`, so
 * that the next request on it is still answered; then idle connections are closed, and the rest after their replies.
 */
export const drainOnClose = (fastify: FastifyInstance): void => {
  const { server } = fastify
  const open = new Set<Socket>()
  let whenNone = (): void => {}

  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      if (open.size === 0) whenNone()
    })
  })

  fastify.addHook('preClose', async () => {
    // A long reply that began before the call said `keep-alive`: after it, the client has as long as the others.
    server.keepAliveTimeout = DRAIN_DELAY_MS
    if (open.size > 0) {
      await new Promise<void>(resolve => {
        whenNone = resolve
        setTimeout(resolve, DRAIN_DELAY_MS).unref()
      })
    }
    // Requests that have arrived when the timer fires are read in the same turn of the event loop, before this.
    await setImmediate()
    // Fastify closes idle connections next. For Node, those that never sent a byte are not among them.
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  })
}
