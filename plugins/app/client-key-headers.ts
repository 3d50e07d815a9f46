import type { FastifyRequest } from 'fastify'

/** Returns whether a request has more than one Authorization header. Node silently drops all but the first. */
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
 * Returns whether a browser sent the request from another site's page, according to the request's Fetch Metadata and
 * Origin headers (RFC 6454). Pages at `publicOrigin` belong to the same site.
 */
export const isCrossSite = (request: FastifyRequest, publicOrigin: string | null): boolean => {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  if (origin === undefined || origin === publicOrigin) return false
  if (!URL.canParse(origin)) return true
  const { protocol, host: originHost } = new URL(origin)
  // If only the scheme differs, the page has another origin, because browsers use the scheme in PUBLIC_URL.
  if (publicOrigin !== null && new URL(publicOrigin).host === originHost) return true
  // Parses the host with the origin's scheme, so that it doesn't matter whether either contains the default port.
  const own = `${protocol}//${request.host}`
  return !URL.canParse(own) || new URL(own).host !== originHost
}
