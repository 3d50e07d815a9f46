/** The credentials of an OAuth client that authenticates with `client_secret_basic`. */
export interface BasicCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2})$/i

/**
 * Returns the credentials in an Authorization header of the scheme Basic (RFC 7617), or null if it has another scheme
 * or is malformed. Both parts may be form-encoded, as OAuth 2.0 requires (RFC 6749, section 2.3.1).
 */
export const basicCredentials = (authorization: string): BasicCredentials | null => {
  const [, encoded] = BASIC.exec(authorization) ?? []
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 1) return null
  const clientId = formDecoded(text.slice(0, colon))
  const clientSecret = formDecoded(text.slice(colon + 1))
  return clientId === null || clientSecret === null ? null : { clientId, clientSecret }
}

const formDecoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return null
  }
}
