import type { IncomingHttpHeaders } from 'node:http'
import type { Session, SessionCredential } from '../domain/users/session.ts'

/**
 * Creates the headers for the response to a sign-in: five for Trivial's own clients, and a Bearer token with the same
 * data.
 */
export const sessionHeaders = (
  accessToken: string,
  { client, expiresAt }: Pick<Session, 'client' | 'expiresAt'>,
  email: string
): Record<string, string> => {
  const headers = {
    'access-token': accessToken,
    'token-type': 'Bearer',
    client,
    expiry: String(Math.floor(expiresAt.getTime() / 1000)),
    uid: email
  }
  return { ...headers, authorization: `Bearer ${Buffer.from(JSON.stringify(headers)).toString('base64')}` }
}

/** The names of the headers that `sessionHeaders` returns. */
export const SESSION_HEADERS = ['access-token', 'token-type', 'client', 'expiry', 'uid', 'authorization'] as const

/**
 * Returns the session credential in a request's headers, or null if there is none. The Authorization header takes
 * precedence. If it contains something else, such as a client key, the request has no session.
 */
export const sessionCredential = (headers: IncomingHttpHeaders): SessionCredential | null => {
  const { authorization } = headers
  if (authorization === undefined) return toCredential(headers)
  const [, text] = /^Bearer (eyJ[A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  return text === undefined ? null : toCredential(parsed(Buffer.from(text, 'base64').toString()))
}

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}

const toCredential = (from: unknown): SessionCredential | null => {
  if (typeof from !== 'object' || from === null) return null
  const { 'access-token': accessToken, client, uid } = from as Record<string, unknown>
  return typeof accessToken === 'string' && typeof client === 'string' && typeof uid === 'string'
    ? { accessToken, client, uid }
    : null
}
