/** Matches the credentials of RFC 6750, section 2.1. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i

/** Returns the token in an `Authorization` header, or undefined if the header is missing or contains none. */
export const bearerToken = (authorization: string | null | undefined): string | undefined =>
  BEARER.exec(authorization ?? '')?.[1]
