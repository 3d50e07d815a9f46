/** The realm that the service sends in `WWW-Authenticate`. */
export const REALM = 'trivial'

/**
 * Returns a `WWW-Authenticate` value that requests a Bearer token. If one was refused, `error` is the reason (RFC
 * 6750).
 */
export const bearerChallenge = (
  realm: string,
  error?: 'invalid_token' | 'insufficient_scope',
  scope?: string
): string =>
  [
    `Bearer realm="${realm}"`,
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(scope === undefined ? [] : [`scope="${scope}"`])
  ].join(', ')

/** Returns a `WWW-Authenticate` value that requests the key's id and token as HTTP Basic credentials (RFC 7617). */
export const basicChallenge = (realm: string): string => `Basic realm="${realm}"`
