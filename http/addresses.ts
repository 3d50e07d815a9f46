import type { FastifyRequest } from 'fastify'
import { plainAddress, UNKNOWN_ADDRESS } from '../net/addresses.ts'
import { AddressUnknown } from './errors.ts'

/** Returns the address that a request came from. Throws AddressUnknown if a proxy passed on an invalid address. */
export const knownAddress = (request: FastifyRequest): string => {
  const address = plainAddress(request.ip)
  // Otherwise, all of these clients would share one limit, and each could use up the attempts of the others.
  if (address === UNKNOWN_ADDRESS) throw new AddressUnknown()
  return address
}

/**
 * Returns the URL of the service for the client of a request: `PUBLIC_URL` if it is set, or else the origin that the
 * request was sent to, such as `https://api.example.org`, or `/` if the request doesn't contain an origin. For scripts
 * of the page at `/docs`, the URL is relative to the documents in the same folder.
 */
export const ownUrl = ({ protocol, host, headers, server }: FastifyRequest): string => {
  // A script of our page needs the URL that the page was loaded from, which a proxy may hide from the service.
  if (headers['sec-fetch-site'] === 'same-origin' && headers['sec-fetch-dest'] === 'empty') return '..'
  if (server.config.PUBLIC_URL !== '') return server.config.PUBLIC_URL
  const address = `${protocol}://${host}`
  // A proxy may pass on a different protocol, whose URLs have no origin.
  return /^https?:/.test(address) && URL.canParse(address) ? new URL(address).origin : '/'
}
