import { hash, randomBytes } from 'node:crypto'

const TOKEN_BYTES = 32
const CLIENT_BYTES = 16
const LIFETIME_MS = 14 * 86_400_000

/** A stored session. It contains the SHA-256 of the session's token, but not the token. */
export interface Session {
  readonly id: string
  readonly userId: number
  /** The SHA-256 of the token, as 64 hexadecimal digits. */
  readonly digest: string
  /** The id of the client that signed in. The client sends it with the token. */
  readonly client: string
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly address: string
  readonly agent: string | null
}

/** The credential that a signed-in client sends with each request. */
export interface SessionCredential {
  readonly accessToken: string
  readonly client: string
  /** The user's e-mail address. */
  readonly uid: string
}

/**
 * Creates a token for a new session, and the session's fields to store. Only the response to the sign-in contains the
 * token.
 */
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

/** Returns the SHA-256 of a session token, as 64 hexadecimal digits. */
export const sessionDigest = (accessToken: string): string => hash('sha256', accessToken)
