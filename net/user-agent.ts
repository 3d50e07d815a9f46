import { redact } from './redaction.ts'

const MAX_LENGTH = 200
const NOT_KEPT = /[\p{C}\uFFFD]/gu

/**
 * Converts a `User-Agent` header to the form in which it's stored. Returns null if there is none. Decodes the header as
 * UTF-8, because Node has read it as Latin-1. Replaces tokens, control characters and invalid bytes, and cuts the
 * result to 200 characters.
 */
export const storableUserAgent = (agent: string | undefined): string | null => {
  if (agent === undefined) return null
  const text = Buffer.from(agent, 'latin1').toString()
  // Counts code points, because half of a surrogate pair couldn't be stored.
  return Array.from(redact(text).replaceAll(NOT_KEPT, '?')).slice(0, MAX_LENGTH).join('')
}
