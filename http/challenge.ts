/** The realm of this service in `WWW-Authenticate`. */
export const REALM = 'trivial'

/** Returns a value of `WWW-Authenticate` that requests a Bearer token, with the reason of a refusal (RFC 6750). */
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
