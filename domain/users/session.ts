import { hash, randomBytes } from 'node:crypto'

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
