/** Splits a request target (RFC 9112, section 3.2.1) into its path and its query, as they were sent. */
export const splitUrl = (url: string): { path: string; query: string } => {
  const end = url.indexOf('?')
  return end < 0 ? { path: url, query: '' } : { path: url.slice(0, end), query: url.slice(end + 1) }
}

/** Returns whether the percent-encoding of a text is well-formed and encodes UTF-8. */
export const canDecode = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
