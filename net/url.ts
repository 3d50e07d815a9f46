const ORIGIN = /^https?:\/\/[^/?#]*/i

/**
 * Splits a request target into its path and query, without decoding them. Omits the scheme and host of an absolute URL,
 * which a proxy may send (RFC 9112, section 3.2.2).
 */
export const splitUrl = (url: string): { path: string; query: string } => {
  const target = url.startsWith('/') ? url : url.replace(ORIGIN, '')
  const end = target.indexOf('?')
  return end < 0 ? { path: target, query: '' } : { path: target.slice(0, end), query: target.slice(end + 1) }
}

/** Returns whether a string's percent-encoding is well-formed and encodes UTF-8. */
export const canDecode = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
