import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The header of a reply that has the id of its request. */
export const REQUEST_ID = 'x-request-id'

/** Creates the function that gives each request its id. */
// No two requests of any process have the same: the audit trail keeps these ids.
export const createRequestIds = (): (() => string) => {
  const run = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${run}-${(++count).toString(36)}`
}

const REQUESTER_ID = /^[A-Za-z0-9._:+/=-]{1,128}$/

/**
 * Sends the id of a request with its reply. A well-formed id that the requester gave is logged as
 * `requester_request_id` in every line about the request, and is used for nothing else.
 */
export const identifyRequest = (request: FastifyRequest, reply: FastifyReply): void => {
  reply.header(REQUEST_ID, request.id)
  const { [REQUEST_ID]: requesterId } = request.headers
  if (typeof requesterId !== 'string' || !REQUESTER_ID.test(requesterId)) return
  request.log = request.log.child({ requester_request_id: requesterId })
  reply.log = request.log
}
