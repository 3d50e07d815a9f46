import { createVerifier } from 'fast-jwt'
import { generationOf } from './token.ts'

// Trivial always writes exactly this header, {"alg":"HS256"}. Pinning it prevents an attacker from choosing another
// algorithm.
const HEADER = Buffer.from('{"alg":"HS256"}').toString('base64url')

/**
 * Returns the `key_id` in a legacy token and the generation of the secret that signed it, or null if the token is
 * refused.
 */
export type OpenLegacyToken = (token: string) => { keyId: string; generation: string } | null

/**
 * Creates the opener of Trivial's own client tokens: JWTs (RFC 7519) that are signed with HS256 under the unmodified
 * secret, and whose payload contains `key_id`. The opener returns null for anything else, and never throws.
 */
export const createLegacyTokenOpener = (secrets: readonly string[]): OpenLegacyToken => {
  const verifiers = secrets.map(key => ({
    verify: createVerifier({ key, algorithms: ['HS256'], cache: false }),
    generation: generationOf(key)
  }))

  return token => {
    if (!token.startsWith(`${HEADER}.`) || !hasOneSpelling(token)) return null
    for (const { verify, generation } of verifiers) {
      const keyId = keyIdOf(verify, token)
      if (keyId !== null) return { keyId, generation }
    }
    return null
  }
}

// Node.js ignores stray bits in the last base64url digit, so a signature can be written in several ways. Only one is
// accepted.
const hasOneSpelling = (token: string): boolean =>
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
