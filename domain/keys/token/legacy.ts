import { createVerifier } from 'fast-jwt'
import { generationOf } from './token.ts'

// Trivial always writes exactly this header, {"alg":"HS256"}. Requiring it prevents attackers from choosing another
// algorithm.
const HEADER = Buffer.from('{"alg":"HS256"}').toString('base64url')

/**
 * Returns the `key_id` in a legacy token and the generation of the secret that signed it, or null if the token is
 * refused.
 */
export type OpenLegacyToken = (token: string) => { keyId: string; generation: string } | null

/**
 * Creates an opener for Trivial's own client tokens: JWTs (RFC 7519) with a `key_id` in their payload, signed with
 * HS256 and the unmodified secret. The opener returns null for any other string, and never throws.
 */
export const createLegacyTokenOpener = (secrets: readonly string[]): OpenLegacyToken => {
  const verifiers = secrets.map(key => ({
    verify: createVerifier({ key, algorithms: ['HS256'], cache: false }),
    generation: generationOf(key)
  }))

  return token => {
    if (!token.startsWith(`${HEADER}.`) || !isCanonical(token)) return null
    for (const { verify, generation } of verifiers) {
      const keyId = keyIdOf(verify, token)
      if (keyId !== null) return { keyId, generation }
    }
    return null
  }
}

// Node.js ignores the unused bits of the last base64url digit, so the same signature can be encoded in several ways.
// Only the canonical encoding is accepted.
const isCanonical = (token: string): boolean =>
  token.split('.').every(part => Buffer.from(part, 'base64url').toString('base64url') === part)

const keyIdOf = (verify: (token: string) => unknown, token: string): string | null => {
  try {
    const payload = verify(token)
    if (typeof payload !== 'object' || payload === null || !('key_id' in payload)) return null
    return typeof payload.key_id === 'string' && payload.key_id !== '' ? payload.key_id : null
  } catch {
    return null
  }
}
