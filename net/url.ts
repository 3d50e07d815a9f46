/** The path and the query of a request's target (RFC 9112, section 3.2.1), as they were sent. */
export const splitUrl = (url: string): { path: string; query: string } => {
  const end = url.indexOf('?')
  return end < 0 ? { path: url, query: '' } : { path: url.slice(0, end), query: url.slice(end + 1) }
}

/** Whether the percent-encoding in a text is well-formed and that of UTF-8. */
export const canDecode = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
