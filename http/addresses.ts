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
 * The address at which a client reached the service, such as `https://api.example.org`, or `/` where the request does
 * not tell it. Behind a proxy that `TRUST_PROXY` names it is the address of the proxy.
 */
export const ownAddress = ({ protocol, host, headers }: FastifyRequest): string => {
  // A script of our own page calls the address that the page came from, which a proxy that is not named may hide here.
  if (headers['sec-fetch-site'] === 'same-origin' && headers['sec-fetch-dest'] === 'empty') return '/'
  const address = `${protocol}://${host}`
  // A proxy may pass on a protocol that is none of these, of whose addresses there is no origin.
  return /^https?:/.test(address) && URL.canParse(address) ? new URL(address).origin : '/'
}
