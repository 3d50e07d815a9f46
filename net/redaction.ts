import { splitUrl } from './url.ts'

/** The text that replaces a credential. */
export const MASK = '[redacted]'

// Tokens, key ids, secrets and digests are runs of at least 32 of these characters. Request ids, app names and UUIDs
// aren't. A session token may contain dashes and is longer than a UUID. A JWT must begin a word, also in JSON text: a
// search from within words would take quadratic time.
const CREDENTIAL = /tck_\w*|(?:(?<![\w-])|(?<=\\[bfnrt]))eyJ[\w-]*\.[\w-]+\.[\w-]*|\w{32,}|[\w-]{40,}/g

const MAX_PATH_LENGTH = 200

/** Masks everything in the given text, such as a line of a log, that could be a credential. */
export const redact = (text: string): string => text.replace(CREDENTIAL, MASK)

/**
 * Returns the beginning of the path of a request's URL, without the query, for a log. A segment is masked if it could
 * be a credential, or if it's percent-encoded, since that could hide one.
 */
export const redactPath = (url: string): string => {
  const { path } = splitUrl(url)
  // Masked before it's cut, because part of a credential wouldn't be recognized as one.
  return redact(
    path
      .split('/')
      .map(segment => (segment.includes('%') ? MASK : segment))
      .join('/')
  ).slice(0, MAX_PATH_LENGTH)
}
