import { plainAddress } from './addresses.ts'

/**
 * Returns the trustworthy part of an `X-Forwarded-For` header: the addresses from the right, up to and including the
 * first one that doesn't belong to a trusted proxy. The client may have sent the rest. Converts the addresses with
 * `plainAddress`, and ignores empty elements (RFC 9110, section 5.6.1).
 */
export const trustedPart = (header: string, isTrusted: (address: string) => boolean): string => {
  const hops: string[] = []
  for (let rest: string | null = header; rest !== null;) {
    const comma: number = rest.lastIndexOf(',')
    const element = rest.slice(comma + 1).trim()
    rest = comma < 0 ? null : rest.slice(0, comma)
    if (element === '') continue
    const address = plainAddress(element)
    hops.unshift(address)
    if (!isTrusted(address)) break
  }
  return hops.join(', ')
}
