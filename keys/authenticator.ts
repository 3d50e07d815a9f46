import { hash } from 'node:crypto'
import { LruMap } from 'toad-cache'
import { allowListKeys } from './allow-list.ts'
import { isLive } from './client-key.ts'
import type { ClientKey } from './client-key.ts'
import type { OpenLegacyToken } from './legacy-token.ts'
import type { ClientKeyLookup } from './store.ts'
import { looksLikeJwt } from './token-shape.ts'
import { createTokenSealer, digestOf } from './token.ts'
import type { TokenFault } from './token.ts'

/** Why a token was refused. For logs: a caller is never told which it was. */
export type TokenRefusal = TokenFault | 'not_allowed' | 'not_live'

interface Good { ok: true, key: ClientKey }

export type Verdict = Good | { ok: false, reason: TokenRefusal }

export interface AuthenticatorOptions {
  /** The secret that seals tokens, 32 characters at least. */
  secret: string
  /** Earlier secrets, whose tokens still open. */
  previousSecrets?: readonly string[]
  /** `key_id`s, or `sha256:<64 hex>` digests of them, that are good for as long as the process runs. */
  allowList?: Iterable<string>
  /** Where keys that are not on the allow-list are looked up. */
  lookup?: ClientKeyLookup
  /** Opens Trivial's own HS256 tokens, for keys on the allow-list only; without it they are refused. */
  openLegacyToken?: OpenLegacyToken
  /** How many tokens are remembered; 10,000 unless told, about 4 MB. */
  cacheSize?: number
}

/** Tells what a token stands for: at once where that is known, else when the look-up answers. Never throws for a token. */
export type Authenticate = (token: string) => Verdict | Promise<Verdict>

interface Remembered { epoch: number, verdict: Good }

const NO_LOOKUP: ClientKeyLookup = { epoch: () => 0, findByDigest: () => null }

/**
 * Makes the function that tells which client key a token stands for.
 *
 * A token is good when it opens under a configured secret *and* the digest of its `key_id` is allowed. What a good
 * token resolved to is remembered under the token's SHA-256, never the token, and only until the look-up's epoch moves;
 * expiry is compared every time. Refused tokens are not remembered, so no flood of them can push a good one out.
 */
export const createAuthenticator = (options: AuthenticatorOptions): Authenticate => {
  const { secret, previousSecrets = [], lookup = NO_LOOKUP, openLegacyToken, cacheSize = 10_000 } = options
  const sealer = createTokenSealer(secret, previousSecrets)
  const allowList = allowListKeys(options.allowList ?? [])
  const remembered = new LruMap<Remembered>(cacheSize)

  const judge = (key: ClientKey | null, fingerprint: string, epoch: number): Verdict => {
    if (key === null) return { ok: false, reason: 'not_allowed' }
    const verdict = ifLive({ ok: true, key })
    if (verdict.ok) remembered.set(fingerprint, { epoch, verdict })
    return verdict
  }

  return token => {
    const fingerprint = hash('sha256', token, 'base64url')
    // Read before the look-up: a change that comes between the two then leaves an entry that is already stale.
    const epoch = lookup.epoch()
    const known = remembered.get(fingerprint)
    if (known !== undefined && known.epoch === epoch) return ifLive(known.verdict)

    if (openLegacyToken !== undefined && looksLikeJwt(token)) {
      const keyId = openLegacyToken(token)
      if (keyId === null) return { ok: false, reason: 'forged' }
      // Not remembered: it may hold a time from which it is not good any more.
      const key = allowList.get(digestOf(keyId))
      return key === undefined ? { ok: false, reason: 'not_allowed' } : { ok: true, key }
    }

    const opened = sealer.open(token)
    if (!opened.ok) return { ok: false, reason: opened.fault }
    const digest = digestOf(opened.keyId)
    const found = allowList.get(digest) ?? lookup.findByDigest(digest)
    return found instanceof Promise
      ? found.then(key => judge(key, fingerprint, epoch))
      : judge(found, fingerprint, epoch)
  }
}

const ifLive = (verdict: Good): Verdict => isLive(verdict.key, new Date()) ? verdict : { ok: false, reason: 'not_live' }
