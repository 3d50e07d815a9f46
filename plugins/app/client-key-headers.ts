import type { FastifyRequest } from 'fastify'

/** Whether a request has more than one Authorization header: Node keeps the first and silently drops the rest. */
export const hasDuplicateAuthorization = ({ raw: { rawHeaders } }: FastifyRequest): boolean => {
  let isFound = false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = String(rawHeaders[i])
    if (name.length !== 'authorization'.length || name.toLowerCase() !== 'authorization') continue
    if (isFound) return true
    isFound = true
  }
  return false
}

/**
 * Whether a browser sent the request from a page of another site (Fetch Metadata; RFC 6454 for Origin). A page of the
 * origin at which clients reach the service is none.
 */
export const isCrossSite = (request: FastifyRequest, publicOrigin: string | null): boolean => {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  if (origin === undefined || origin === publicOrigin) return false
  if (!URL.canParse(origin)) return true
  const { protocol, host: originHost } = new URL(origin)
  // Read with the origin's scheme, so that a default port may be there or not.
  const own = `${protocol}//${request.host}`
  return !URL.canParse(own) || new URL(own).host !== originHost
}
