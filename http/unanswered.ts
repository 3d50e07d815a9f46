import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RefuseConnection } from './client-errors.ts'
import { BadRequest } from './errors.ts'
import { MAX_HEADER_LINES } from './limits.ts'

/** Has a server reply with a problem document where Node would reply without a body, or not at all. */
export const answerEverything = (server: Server, refuse: RefuseConnection): void => {
  server.maxHeadersCount = MAX_HEADER_LINES
  // Node would reply 417: formProblem refuses the request.
  server.on('checkExpectation', (request, response) => {
    server.emit('request', request, response)
  })
  // For CONNECT Node would close the connection. It leaves the socket to this listener, its errors and its end as well.
  server.on('connect', (_request, socket: Duplex) => {
    socket.on('error', () => {})
    refuse(socket, new BadRequest(), 'CONNECT')
    socket.once('finish', () => {
      socket.destroy()
    })
  })
}
