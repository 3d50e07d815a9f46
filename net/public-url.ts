const FORM = /^https?:\/\/[^\s?#\\]+$/i

/**
 * Returns what is wrong with a `PUBLIC_URL`, or null if it's fine. The string completes a sentence and never contains
 * the URL.
 */
export const publicUrlIssue = (text: string): string | null => {
  const url = FORM.test(text) && URL.canParse(text) ? new URL(text) : null
  return url === null || url.username !== '' || url.password !== ''
    ? 'must be an http: or https: URL without a query, a fragment or a user, such as https://example.com/keys'
    : null
}

/**
 * Normalizes a `PUBLIC_URL`, so that paths can be appended to it: removes the trailing slash, and percent-encodes
 * characters where necessary.
 */
export const normalizePublicUrl = (text: string): string => {
  if (!URL.canParse(text)) return text
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname.replace(/\/+$/, '')}`
}
