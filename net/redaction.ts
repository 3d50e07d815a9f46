import { splitUrl } from './url.ts'

/** The string that replaces a credential. */
export const MASK = '[redacted]'

// Tokens, key ids, secrets and digests are runs of at least 32 of these characters; request ids, app names and UUIDs
// aren't. Session tokens may contain dashes, but are longer than UUIDs. A JWT must start at the beginning of a word or
// after a JSON escape, because a search within words would take quadratic time.
const CREDENTIAL = /tck_\w*|(?:(?<![\w-])|(?<=\\[bfnrt]))eyJ[\w-]*\.[\w-]+\.[\w-]*|\w{32,}|[\w-]{40,}/g

const MAX_PATH_LENGTH = 200

/** Masks everything in a string, such as a log line, that could be a credential. */
export const redact = (text: string): string => text.replace(CREDENTIAL, MASK)

/**
 * Returns the path of a request's URL for the log, without the query and cut to a maximum length. Masks a segment if it
 * could be a credential, or if it's percent-encoded, because in that case it could hide one.
 */
export const redactPath = (url: string): string => {
  const { path } = splitUrl(url)
  // Masks before cutting, because part of a credential wouldn't be recognized as one.
  return redact(
    path
      .split('/')
      .map(segment => (segment.includes('%') ? MASK : segment))
      .join('/')
  ).slice(0, MAX_PATH_LENGTH)
}
