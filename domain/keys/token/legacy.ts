import { createVerifier } from 'fast-jwt'
import { generationOf } from './token.ts'

// The header is {"alg":"HS256"} to the letter: Trivial writes no other, and a pinned header leaves no algorithm to
// choose.
const HEADER = Buffer.from('{"alg":"HS256"}').toString('base64url')

/** Answers the `key_id` that a legacy token holds, and which secret signed it; null where the token is refused. */
export type OpenLegacyToken = (token: string) => { keyId: string; generation: string } | null

/**
 * Makes the opener of Trivial's own client tokens: a JWT (RFC 7519) signed with HS256 under the secret as given, whose
 * payload holds `key_id`. It answers null for anything else, and never throws.
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

// Node reads base64url whose last digit has stray bits, so a signature has several spellings; only one is taken.
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
