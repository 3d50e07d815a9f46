import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The response header that contains the request id. */
export const REQUEST_ID = 'x-request-id'

/**
 * Creates a function that generates request ids. The ids are unique across all processes, because the audit trail
 * stores them.
 */
export const createRequestIds = (): (() => string) => {
  const run = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${run}-${(++count).toString(36)}`
}

const REQUESTER_ID = /^[A-Za-z0-9._:+/=-]{1,128}$/

/**
 * Adds the request id to the response headers. If the requester sent a well-formed id in the same header, adds it to
 * the log lines for the request as `requester_request_id`. The id isn't used for anything else.
 */
export const identifyRequest = (request: FastifyRequest, reply: FastifyReply): void => {
  reply.header(REQUEST_ID, request.id)
  const { [REQUEST_ID]: requesterId } = request.headers
  if (typeof requesterId !== 'string' || !REQUESTER_ID.test(requesterId)) return
  request.log = request.log.child({ requester_request_id: requesterId })
  reply.log = request.log
}
