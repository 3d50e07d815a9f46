import { hash, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

const TOKEN_BYTES = 32
const CLIENT_BYTES = 16
const LIFETIME_MS = 14 * 86_400_000

/** A session as the service keeps it: the SHA-256 of its token, and not the token. */
export interface Session {
  readonly id: string
  readonly userId: number
  /** 64 hexadecimal digits. */
  readonly digest: string
  /** Names the client that signed in; sent along with the token. */
  readonly client: string
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly address: string
  readonly agent: string | null
}

/** What a signed-in client sends along with each request. */
export interface SessionCredential {
  readonly accessToken: string
  readonly client: string
  /** The e-mail address. */
  readonly uid: string
}

/** The token of a new session, which exists in the reply to the sign-in only, and what is stored of it. */
export const newSession = (
  now: Date
): { accessToken: string; kept: Pick<Session, 'digest' | 'client' | 'createdAt' | 'expiresAt'> } => {
  const accessToken = randomBytes(TOKEN_BYTES).toString('base64url')
  return {
    accessToken,
    kept: {
      digest: sessionDigest(accessToken),
      client: randomBytes(CLIENT_BYTES).toString('base64url'),
      createdAt: now,
      expiresAt: new Date(now.getTime() + LIFETIME_MS)
    }
  }
}

/** SHA-256 of a session's token, as 64 hexadecimal digits. */
export const sessionDigest = (accessToken: string): string => hash('sha256', accessToken)

/** The headers of a reply to a sign-in: the five of Trivial's clients, and the same in one as a Bearer token. */
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

/** The names of those headers. */
export const SESSION_HEADERS = ['access-token', 'token-type', 'client', 'expiry', 'uid', 'authorization'] as const

/**
 * The credential in the headers of a request; null where there is none. An Authorization header goes first: where it
 * holds something else, such as a client key, there is no session.
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
