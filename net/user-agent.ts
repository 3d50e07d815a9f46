import { redact } from './redaction.ts'

const MAX_LENGTH = 200
const NOT_KEPT = /[\p{C}\uFFFD]/gu

/**
 * A `User-Agent`, as Node reads its bytes, as it may be kept: as UTF-8, without token, control character and what is
 * not UTF-8, and no more than 200 characters of it.
 */
export const keptAgent = (agent: string | undefined): string | null => {
  if (agent === undefined) return null
  const text = Buffer.from(agent, 'latin1').toString()
  // By characters: half of a surrogate pair could not be stored.
  return Array.from(redact(text).replaceAll(NOT_KEPT, '?')).slice(0, MAX_LENGTH).join('')
}
