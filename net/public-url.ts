const FORM = /^https?:\/\/[^\s?#\\]+$/i

/** What is wrong with the public URL of a service, as the end of a sentence that never repeats it; null: nothing is. */
export const publicUrlIssue = (text: string): string | null => {
  const url = FORM.test(text) && URL.canParse(text) ? new URL(text) : null
  return url === null || url.username !== '' || url.password !== ''
    ? 'must be an http: or https: URL without a query, a fragment and a user, such as https://example.com/keys'
    : null
}

/** The same URL as a path is appended to it: without a slash at the end, and with every character encoded. */
export const normalizePublicUrl = (text: string): string => {
  if (!URL.canParse(text)) return text
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname.replace(/\/+$/, '')}`
}
