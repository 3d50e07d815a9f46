import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { PROBLEM_MEDIA_TYPE, toDocument } from '../problems/problem.ts'
import type { ProblemError } from '../problems/problem.ts'
import { BadRequest, HeadersTooLarge, RequestTimeout } from '../problems/table.ts'

const problemOf: Readonly<Record<string, (new () => ProblemError) | undefined>> = {
  ERR_HTTP_REQUEST_TIMEOUT: RequestTimeout,
  HPE_HEADER_OVERFLOW: HeadersTooLarge
}

/** Answers what Node can't read as HTTP with a problem document, and closes the connection. */
export const answerClientError = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = new (problemOf[String(error.code)] ?? BadRequest)()
  const body = JSON.stringify(toDocument(problem))
  socket.end(
    [
      `HTTP/1.1 ${problem.statusCode} ${STATUS_CODES[problem.statusCode]}`,
      `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body
    ].join('\r\n')
  )
}
