const FORM = /^https?:\/\/[^\s?#\\]+$/i

/**
 * Returns what is wrong with the given public URL of a service, or null if nothing is. The string is the end of a
 * sentence and never repeats the URL.
 */
export const publicUrlIssue = (text: string): string | null => {
  const url = FORM.test(text) && URL.canParse(text) ? new URL(text) : null
  return url === null || url.username !== '' || url.password !== ''
    ? 'must be an http: or https: URL without a query, a fragment or a user, such as https://example.com/keys'
    : null
}

/**
 * Returns the given URL in the form to which paths are appended: without a slash at the end, and percent-encoded
 * where necessary.
 */
export const normalizePublicUrl = (text: string): string => {
  if (!URL.canParse(text)) return text
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname.replace(/\/+$/, '')}`
}
