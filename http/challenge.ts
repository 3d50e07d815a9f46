/** The realm of this service in `WWW-Authenticate`. */
export const REALM = 'trivial'

/** The value of `WWW-Authenticate` that asks for a Bearer token, and says why one was refused (RFC 6750). */
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
