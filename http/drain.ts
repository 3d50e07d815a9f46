import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** How long a client that keeps a connection open has to send its next request, whose reply tells it to close. */
const DRAIN_DELAY_MS = 1000

/**
 * Has `fastify.close()` lose no request of a client that uses its connection again and again. From the call on, Fastify
 * says `Connection: close` in every reply. A connection that is idle at that moment stays open for `DRAIN_DELAY_MS`, so
 * that the next request on it is still answered; then each connection without a running request is closed, whatever it
 * has sent, and the others after their replies.
 */
export const drainOnClose = (fastify: FastifyInstance): void => {
  const { server } = fastify
  const connections = watchConnections(server)
  fastify.addHook('preClose', async () => {
    server.keepAliveTimeout = DRAIN_DELAY_MS
    await Promise.race([
      connections.none(),
      new Promise(resolve => {
        setTimeout(resolve, DRAIN_DELAY_MS).unref()
      })
    ])
    // Requests that have arrived when the timer fires are read in the same turn of the event loop, before this.
    await setImmediate()
    connections.closeIdle()
  })
}

interface Connections {
  /** Resolves when none is open. */
  readonly none: () => Promise<void>
  /** Closes those without a running request, and from then on each one that has none for `DRAIN_DELAY_MS`. */
  readonly closeIdle: () => void
}

const watchConnections = (server: Server): Connections => {
  const open = new Map<Socket, Set<ServerResponse>>()
  let isClosing = false
  let whenNone = (): void => {}

  const closeIfIdle = (socket: Socket): void => {
    if (isClosing && ![...(open.get(socket) ?? [])].some(response => canEnd(response, socket))) socket.destroy()
  }
  const closeLater = (socket: Socket): void => {
    if (isClosing) setTimeout(closeIfIdle, DRAIN_DELAY_MS, socket).unref()
  }

  server.on('connection', (socket: Socket) => {
    open.set(socket, new Set())
    closeLater(socket)
    // Then its last reply may be one that can't be sent any more.
    for (const event of ['end', 'finish']) socket.once(event, closeIfIdle.bind(null, socket))
    socket.once('close', () => {
      open.delete(socket)
      if (open.size === 0) whenNone()
    })
  })
  server.on('request', ({ socket }, response) => {
    const running = open.get(socket)
    running?.add(response)
    response.once('close', () => {
      running?.delete(response)
      // A long reply that began before the stop said `keep-alive`: its client has as long as the others.
      closeLater(socket)
    })
  })

  return {
    none: async () => {
      await new Promise<void>(resolve => {
        whenNone = resolve
        if (open.size === 0) resolve()
      })
    },
    closeIdle: () => {
      isClosing = true
      for (const socket of open.keys()) closeIfIdle(socket)
    }
  }
}

/** Whether a reply can still be sent whole: Node ends a connection whose client has ended its side. */
const canEnd = (response: ServerResponse, socket: Socket): boolean =>
  !socket.writableEnded || [response.writableEnded, !socket.writableFinished].every(Boolean)
