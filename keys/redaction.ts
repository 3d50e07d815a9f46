const MASK = '[redacted]'

// A token of either kind, a key_id, a secret or a digest: each is a run of 32 or more of these characters. A request id
// and an app's name are shorter, and a UUID is broken by its dashes.
const CREDENTIAL = /tck_\w*|eyJ[\w-]*\.[\w-]+\.[\w-]*|\w{32,}/g

/** Masks whatever could be a credential in a piece of text, such as a line of a log. */
export const redact = (text: string): string => text.replace(CREDENTIAL, MASK)

/**
 * The path of a request's URL for a log: without its query, and with every segment masked that is percent-encoded, where
 * a credential could hide, or that could be one itself.
 */
export const redactPath = (url: string): string =>
  redact(url.split('?', 1)[0].split('/').map(segment => segment.includes('%') ? MASK : segment).join('/'))
