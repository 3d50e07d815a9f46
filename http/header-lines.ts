import type { FastifyRequest } from 'fastify'

/** The number of header lines that Node keeps if the server's `maxHeadersCount` isn't set. */
const KEPT_BY_DEFAULT = 1000

/**
 * Returns whether a request may have had more header lines than Node kept. Node silently drops lines beyond
 * `maxHeadersCount`, such as an `X-Forwarded-For` line that a proxy appends.
 */
export const mayLackHeaders = ({ raw: { rawHeaders }, server: { server } }: FastifyRequest): boolean => {
  const kept = server.maxHeadersCount ?? KEPT_BY_DEFAULT
  return kept > 0 && rawHeaders.length >= 2 * kept
}
