import type { IncomingHttpHeaders } from 'node:http'
import { plainAddress, UNKNOWN_ADDRESS } from '../net/addresses.ts'
import { InvalidRequest, UnsupportedContentCoding } from './errors.ts'

/** The parameters of a request to introspect a token (RFC 7662, section 2.1), and the extensions `scope` and `ip`. */
export interface IntrospectionForm {
  readonly token: string
  readonly scope?: string
  readonly ip?: string
}

const IP_RULE = 'The parameter ip must be an IP address, such as 192.0.2.7. Correct it, or leave it out.'
const ONCE_RULE = 'A parameter occurs more than once. Send each parameter only once.'

/**
 * Returns the parameters in a form that was parsed. Unknown parameters are ignored, and empty ones count as missing
 * (RFC 6749, section 3.1). Throws InvalidRequest, or UnsupportedContentCoding if the body was encoded.
 */
export const toIntrospectionForm = (
  { 'content-encoding': coding = 'identity' }: IncomingHttpHeaders,
  body: unknown
): IntrospectionForm => {
  if (coding.toLowerCase() !== 'identity') throw new UnsupportedContentCoding()
  const parameters = (body ?? {}) as Readonly<Record<string, string | string[]>>
  if (Object.values(parameters).some(Array.isArray)) throw new InvalidRequest({ message: ONCE_RULE })
  const [token, scope, ip] = ['token', 'scope', 'ip'].map(name => String(parameters[name] ?? ''))
  if (!token) throw new InvalidRequest()
  if (ip && !isAddress(ip)) throw new InvalidRequest({ message: IP_RULE })
  return { token, ...(scope && { scope }), ...(ip && { ip }) }
}

/** Returns whether a text is an IP address, possibly with brackets and a port, as proxies write it. */
export const isAddress = (text: string): boolean => plainAddress(text) !== UNKNOWN_ADDRESS
