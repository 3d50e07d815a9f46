import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import { PROBLEM_MEDIA_TYPE, toDocument } from './problems.ts'
import type { ProblemClass, ProblemError } from './problems.ts'
import { BadRequest, HeadersTooLarge, RequestTimeout } from './errors.ts'
import { REQUEST_ID } from './request-ids.ts'

/** What gives an id to what is no request, and logs it. */
export interface RefusalOptions {
  readonly nextId: () => string
  /** Asked for when it is needed: the server is made with these options. */
  readonly log: () => Pick<FastifyBaseLogger, 'info'>
}

/** Writes a problem document to a connection whose requests Node does not read any more, ends it, and logs that. */
export type RefuseConnection = (socket: Duplex, problem: ProblemError, cause?: string) => void

export const createRefusal =
  ({ nextId, log }: RefusalOptions): RefuseConnection =>
  (socket, problem, cause) => {
    const requestId = nextId()
    const document = toDocument(problem, { requestId })
    const { status, code } = document
    const body = JSON.stringify(document)
    const { remoteAddress: address } = socket as Partial<Socket>
    // Without the error of Node: it holds what was sent.
    log().info({ reqId: requestId, status, code, cause, address }, 'what was sent is no request that can be read')
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

/** Answers what Node can't read as HTTP with a problem document, and closes the connection. */
export const createClientErrorHandler =
  (refuse: RefuseConnection) =>
  (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    refuse(socket, new (problemOf[String(error.code)] ?? BadRequest)(), error.code)
  }
