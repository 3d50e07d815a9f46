import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import { PROBLEM_MEDIA_TYPE, toDocument } from './problems.ts'
import type { ProblemClass, ProblemError } from './problems.ts'
import { BadRequest, HeadersTooLarge, RequestTimeout } from './errors.ts'
import { REQUEST_ID } from './request-ids.ts'

/** The source of request ids and the log for requests that never reach Fastify. */
export interface RefusalOptions {
  readonly nextId: () => string
  /** Returns the log. This is a function, because the server doesn't exist yet when these options are created. */
  readonly log: () => Pick<FastifyBaseLogger, 'info'>
}

/** Sends a problem document on a connection that Node no longer reads, ends the connection, and logs the refusal. */
export type RefuseConnection = (socket: Duplex, problem: ProblemError, cause?: string) => void

export const createRefusal =
  ({ nextId, log }: RefusalOptions): RefuseConnection =>
  (socket, problem, cause) => {
    const requestId = nextId()
    const document = toDocument(problem, { requestId })
    const { status, code } = document
    const body = JSON.stringify(document)
    const { remoteAddress: address } = socket as Partial<Socket>
    // Node's error isn't logged, because it contains the received bytes.
    log().info({ reqId: requestId, status, code, cause, address }, 'refused a request that could not be parsed')
    socket.end(
      [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        `${REQUEST_ID}: ${requestId}`,
        'Connection: close',
        '',
        body
      ].join('\r\n')
    )
  }

const problemOf: Readonly<Record<string, ProblemClass | undefined>> = {
  ERR_HTTP_REQUEST_TIMEOUT: RequestTimeout,
  HPE_HEADER_OVERFLOW: HeadersTooLarge
}

/** Creates a handler that sends a problem document and closes the connection if Node can't parse a request. */
export const createClientErrorHandler =
  (refuse: RefuseConnection) =>
  (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    refuse(socket, new (problemOf[String(error.code)] ?? BadRequest)(), error.code)
  }
