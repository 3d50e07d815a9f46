import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { PROBLEM_MEDIA_TYPE, toDocument } from './problems.ts'
import type { ProblemClass, ProblemError } from './problems.ts'
import { BadRequest, HeadersTooLarge, RequestTimeout } from './errors.ts'

const problemOf: Readonly<Record<string, ProblemClass | undefined>> = {
  ERR_HTTP_REQUEST_TIMEOUT: RequestTimeout,
  HPE_HEADER_OVERFLOW: HeadersTooLarge
}

/** Answers what Node can't read as HTTP with a problem document, and closes the connection. */
export const answerClientError = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  refuseConnection(socket, new (problemOf[String(error.code)] ?? BadRequest)())
}

/** Writes a problem document to a connection whose requests Node does not read any more, and ends it. */
export const refuseConnection = (socket: Writable, problem: ProblemError): void => {
  const document = toDocument(problem)
  const { status } = document
  const body = JSON.stringify(document)
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body
    ].join('\r\n')
  )
}
