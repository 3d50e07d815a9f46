import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RefuseConnection } from './client-errors.ts'
import { BadRequest } from './errors.ts'
import { MAX_HEADER_LINES } from './limits.ts'

/** Sends problem documents where Node would respond without a body, or not at all. */
export const replaceNodeReplies = (server: Server, refuse: RefuseConnection): void => {
  server.maxHeadersCount = MAX_HEADER_LINES
  // Without this listener, Node responds with 417. formProblem refuses the request instead.
  server.on('checkExpectation', (request, response) => {
    server.emit('request', request, response)
  })
  // Without this listener, Node closes the connection when it receives CONNECT. The listener must handle errors and end
  // the socket.
  server.on('connect', (_request, socket: Duplex) => {
    socket.on('error', () => {})
    refuse(socket, new BadRequest(), 'CONNECT')
    socket.once('finish', () => {
      socket.destroy()
    })
  })
}
