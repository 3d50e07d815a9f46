import { splitUrl } from './url.ts'

/** What stands in the place of a credential. */
export const MASK = '[redacted]'

// Tokens, key ids, secrets and digests are runs of 32 or more of these characters; ids of requests, names of apps and
// UUIDs are not. The token of a session may have dashes, and is longer than a UUID. A JWT is looked for only where a
// word begins, in JSON text as well: from within a word the search would be quadratic.
const CREDENTIAL = /tck_\w*|(?:(?<![\w-])|(?<=\\[bfnrt]))eyJ[\w-]*\.[\w-]+\.[\w-]*|\w{32,}|[\w-]{40,}/g

const MAX_PATH_LENGTH = 200

/** Masks whatever could be a credential in a piece of text, such as a line of a log. */
export const redact = (text: string): string => text.replace(CREDENTIAL, MASK)

/**
 * The path of a request's URL for a log: its beginning, without the query, and with every segment masked that is
 * percent-encoded, where a credential could hide, or that could be one itself.
 */
export const redactPath = (url: string): string => {
  const { path } = splitUrl(url)
  // Masked before it is cut: half a credential is not known for one.
  return redact(
    path
      .split('/')
      .map(segment => (segment.includes('%') ? MASK : segment))
      .join('/')
  ).slice(0, MAX_PATH_LENGTH)
}
