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
