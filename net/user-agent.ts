import { redact } from './redaction.ts'

const MAX_LENGTH = 200
const NOT_KEPT = /[\p{C}\uFFFD]/gu

/**
 * Returns the given `User-Agent` header as it's stored, or null if there is none. Its bytes, which Node reads as
 * Latin-1, are decoded as UTF-8. Tokens, control characters and invalid bytes are replaced, and the header is cut to
 * 200 characters.
 */
export const storableUserAgent = (agent: string | undefined): string | null => {
  if (agent === undefined) return null
  const text = Buffer.from(agent, 'latin1').toString()
  // Cut by code points, because half of a surrogate pair couldn't be stored.
  return Array.from(redact(text).replaceAll(NOT_KEPT, '?')).slice(0, MAX_LENGTH).join('')
}
