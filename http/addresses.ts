import type { FastifyRequest } from 'fastify'
import { plainAddress, UNKNOWN_ADDRESS } from '../net/addresses.ts'
import { AddressUnknown } from './errors.ts'

/** Returns the address that a request came from. Throws AddressUnknown if a proxy forwarded an invalid address. */
export const knownAddress = (request: FastifyRequest): string => {
  const address = plainAddress(request.ip)
  // Otherwise, all clients without a valid address would share a limit and use up each other's attempts.
  if (address === UNKNOWN_ADDRESS) throw new AddressUnknown()
  return address
}

/**
 * Returns the URL at which the client reaches the service: `PUBLIC_URL` if it's set, or else the origin that the
 * request was sent to, such as `https://api.example.org`, or `/` if the origin is unknown. For scripts on the `/docs`
 * page, returns a URL relative to the OpenAPI document.
 */
export const ownUrl = ({ protocol, host, headers, server }: FastifyRequest): string => {
  // Scripts on a page need the page's own origin, which a proxy may hide from the service.
  if (headers['sec-fetch-site'] === 'same-origin' && headers['sec-fetch-dest'] === 'empty') return '..'
  if (server.config.PUBLIC_URL !== '') return server.config.PUBLIC_URL
  const address = `${protocol}://${host}`
  // A proxy may report a protocol other than HTTP or HTTPS. URLs with other protocols have no usable origin.
  return /^https?:/.test(address) && URL.canParse(address) ? new URL(address).origin : '/'
}
