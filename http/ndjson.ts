import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import Negotiator from 'negotiator'

/** The media type for NDJSON: one JSON document per line. */
export const NDJSON = 'application/x-ndjson'

/** Returns whether a client prefers NDJSON to a single JSON document (RFC 9110, section 12.5.1). */
export const wantsNdjson = (request: { readonly headers: IncomingHttpHeaders }): boolean =>
  new Negotiator(request).mediaType(['application/json', NDJSON]) === NDJSON

/** Adds `accept` to `Vary`, which may already contain `Origin`. */
export const varyByAccept = <Reply extends FastifyReply>(reply: Reply): Reply => {
  reply.header('vary', [reply.getHeader('vary') ?? [], 'accept'].flat().join(', '))
  return reply
}
