import { plainAddress } from './addresses.ts'

/**
 * What can be believed of a value of `X-Forwarded-For`: the addresses from the right up to the first that is not of a
 * trusted proxy, as `plainAddress` writes them. The rest is what the client sent. Empty elements do not count (RFC
 * 9110, section 5.6.1).
 */
export const believedPart = (header: string, isTrusted: (address: string) => boolean): string => {
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
