import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/**
 * How long idle connections stay open during a shutdown, in milliseconds. If the client sends another request during
 * this time, the response asks it to disconnect.
 */
const DRAIN_DELAY_MS = 1000

/**
 * Prevents `fastify.close()` from dropping requests on keep-alive connections. Idle connections stay open for
 * `DRAIN_DELAY_MS`, so that the next request still gets a response with `Connection: close`. After that, connections
 * without a running request are closed, even if part of a request has arrived. Others are closed after the response.
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
    // Lets Node read requests that arrived before the timer fired. It does so later in the same event loop iteration.
    await setImmediate()
    connections.closeIdle()
  })
}

interface Connections {
  /** Resolves when no connections are open. */
  readonly none: () => Promise<void>
  /** Closes idle connections immediately, and others after they have been idle for `DRAIN_DELAY_MS`. */
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
    // After these events, it may no longer be possible to send the last response.
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
      // A response that began before the shutdown may contain `keep-alive`, so the client may send another request.
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

/**
 * Returns whether a response can still be sent completely. When the client ends its side of a connection, Node ends the
 * other side too. After that, only data that has already been written can be sent.
 */
const canEnd = (response: ServerResponse, socket: Socket): boolean =>
  !socket.writableEnded || [response.writableEnded, !socket.writableFinished].every(Boolean)
