const ORIGIN = /^https?:\/\/[^/?#]*/i

/**
 * The path and the query of a request's target, as they were sent. A proxy may send the whole URL (RFC 9112, section
 * 3.2.2): its scheme and host are left out.
 */
export const splitUrl = (url: string): { path: string; query: string } => {
  const target = url.startsWith('/') ? url : url.replace(ORIGIN, '')
  const end = target.indexOf('?')
  return end < 0 ? { path: target, query: '' } : { path: target.slice(0, end), query: target.slice(end + 1) }
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
