import type { FastifyRequest } from 'fastify'

/** How many lines Node keeps where `maxHeadersCount` of its server is not set. */
const KEPT_BY_DEFAULT = 1000

/**
 * Whether a request may have had more header lines than are here: Node drops those beyond `maxHeadersCount` in silence,
 * such as the `X-Forwarded-For` that a proxy adds at the end.
 */
export const mayLackHeaders = ({ raw: { rawHeaders }, server: { server } }: FastifyRequest): boolean => {
  const kept = server.maxHeadersCount ?? KEPT_BY_DEFAULT
  return kept > 0 && rawHeaders.length >= 2 * kept
}
