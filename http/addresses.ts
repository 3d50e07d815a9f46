import type { FastifyRequest } from 'fastify'
import { plainAddress, UNKNOWN_ADDRESS } from '../net/addresses.ts'
import { AddressUnknown } from './errors.ts'

/** The address that a request came from. Throws AddressUnknown if a proxy passed on what is none. */
export const knownAddress = (request: FastifyRequest): string => {
  const address = plainAddress(request.ip)
  // Or all such clients would be one, and any of them could use up the attempts of the others.
  if (address === UNKNOWN_ADDRESS) throw new AddressUnknown()
  return address
}

/**
 * The URL of the service for the client of a request: `PUBLIC_URL`, or else the address that the request was sent to,
 * such as `https://api.example.org`, or `/` if the request doesn't contain one. For a script of the page at `/docs` it
 * is relative to the documents beside that page.
 */
export const ownUrl = ({ protocol, host, headers, server }: FastifyRequest): string => {
  // A script of our own page calls the URL that the page came from, which a proxy may hide from the service.
  if (headers['sec-fetch-site'] === 'same-origin' && headers['sec-fetch-dest'] === 'empty') return '..'
  if (server.config.PUBLIC_URL !== '') return server.config.PUBLIC_URL
  const address = `${protocol}://${host}`
  // A proxy may pass on a protocol that is none of these, of whose addresses there is no origin.
  return /^https?:/.test(address) && URL.canParse(address) ? new URL(address).origin : '/'
}
