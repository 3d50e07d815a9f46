import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import Negotiator from 'negotiator'

/** The media type of JSON documents a line each. */
export const NDJSON = 'application/x-ndjson'

/** Whether a client would rather have JSON documents a line each than one (RFC 9110, section 12.5.1). */
export const wantsNdjson = (request: { readonly headers: IncomingHttpHeaders }): boolean =>
  new Negotiator(request).mediaType(['application/json', NDJSON]) === NDJSON

/** Adds `accept` to what a reply varies by, which may be the origin of a page already. */
export const varyByAccept = <Reply extends FastifyReply>(reply: Reply): Reply => {
  reply.header('vary', [reply.getHeader('vary') ?? [], 'accept'].flat().join(', '))
  return reply
}
