// Matches an address as proxies write it, with or without quotes, brackets and a port (RFC 7239, section 6). An IPv6
// address without brackets can't have a port.
const HOST = /^("?)(?:\[([^\]"]*)\](?::\d{1,5}|:_[\w.-]+)?|([\d.]+)(?::\d{1,5}|:_[\w.-]+)|([^[\]"]*))\1$/

/** Returns an address without quotes, brackets and port. Returns any other text unchanged. */
export const hostIn = (text: string): string => {
  const [, , inBrackets, beforePort, plain] = HOST.exec(text) ?? []
  return inBrackets ?? beforePort ?? plain ?? text
}
