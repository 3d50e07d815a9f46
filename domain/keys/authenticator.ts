import { hash } from 'node:crypto'
import { LruMap } from 'toad-cache'
import { allowListKeys } from './allow-list.ts'
import { inactiveReason } from './client-key.ts'
import type { InactiveReason, KnownToken } from './client-key.ts'
import type { OpenLegacyToken } from './legacy-token.ts'
import type { KeyLookup } from './freshness.ts'
import { looksLikeJwt } from './token-shape.ts'
import { createTokenSealer, digestOf } from './token.ts'
import type { TokenIssue } from './token.ts'

/** Why a token was refused. For logs: a caller is never told which it was. */
export type TokenRefusal = TokenIssue | 'not_allowed' | InactiveReason

interface Good {
  readonly ok: true
  readonly token: KnownToken
}

/** A refusal has the token where it is known whose it was. */
export type Verdict = Good | { readonly ok: false; readonly reason: TokenRefusal; readonly token?: KnownToken }

export interface AuthenticatorOptions {
  /** The secret that seals tokens, 32 characters at least. */
  secret: string
  /** Earlier secrets, whose tokens still open. */
  previousSecrets?: readonly string[]
  /**
   * `key_id`s, or `sha256:<64 hex>` digests of them, that are accepted while the process runs and they are not
   * revoked.
   */
  allowList?: Iterable<string>
  /** Where keys that are not on the allow-list are looked up, and which entries of the list are revoked. */
  lookup?: KeyLookup
  /** Opens Trivial's own HS256 tokens, for keys on the allow-list only; without it they are refused. */
  openLegacyToken?: OpenLegacyToken
  /** How many tokens are remembered; 10,000 by default, about 4 MB. */
  cacheSize?: number
  /** Is kept up to date with how the memory of tokens serves. */
  cache?: TokenCache
}

/** How often a token was remembered, how often it had to be opened, and how many are remembered now. */
export interface TokenCache {
  hits: number
  misses: number
  size: () => number
}

export const createTokenCache = (): TokenCache => ({ hits: 0, misses: 0, size: () => 0 })

/** Tells what a token stands for. Rejects only where the look-up fails, never for a token. */
export type Authenticate = (token: string) => Promise<Verdict>

interface Remembered {
  mark: number
  verdict: Good
}

const PASSED = Promise.resolve()
const NO_LOOKUP: KeyLookup = {
  barrier: () => PASSED,
  mark: () => 0,
  isFresh: () => true,
  findByDigest: () => null
}

/**
 * Makes the function that tells which client key a token stands for.
 *
 * A token is accepted when it opens under a configured secret *and* the digest of its `key_id` is allowed. What it
 * resolved to is remembered under the token's SHA-256, never the token, and only while the look-up calls it fresh;
 * expiry is compared every time. Refused tokens are not remembered, so no flood of them can displace accepted ones.
 */
export const createAuthenticator = (options: AuthenticatorOptions): Authenticate => {
  const {
    secret,
    previousSecrets = [],
    lookup = NO_LOOKUP,
    openLegacyToken,
    cacheSize = 10_000,
    cache = createTokenCache()
  } = options
  const sealer = createTokenSealer(secret, previousSecrets)
  const find = createFinder(lookup, options.allowList ?? [])
  const remembered = new LruMap<Remembered>(cacheSize)
  cache.size = () => remembered.size

  // A JWT is not remembered: it may hold a time from which it is expired.
  const authenticateLegacy = async (opened: ReturnType<OpenLegacyToken>): Promise<Verdict> => {
    if (opened === null) return { ok: false, reason: 'forged' }
    const found = await find(digestOf(opened.keyId), opened.generation)
    return judge(found?.key.source === 'environment' ? found : null)
  }

  const authenticateUnknown = async (token: string, fingerprint: string, mark: number | null): Promise<Verdict> => {
    const opened = sealer.open(token)
    if (!opened.ok) return { ok: false, reason: opened.issue }
    const verdict = judge(await find(digestOf(opened.keyId), opened.generation))
    if (verdict.ok && mark !== null) remembered.set(fingerprint, { mark, verdict })
    return verdict
  }

  return token =>
    lookup.barrier().then(() => {
      const fingerprint = hash('sha256', token, 'base64url')
      const known = remembered.get(fingerprint)
      if (known !== undefined && lookup.isFresh(known.mark, known.verdict.token.key.id)) {
        cache.hits++
        return inactiveReason(known.verdict.token, Date.now()) === null ? known.verdict : judge(known.verdict.token)
      }
      cache.misses++
      if (openLegacyToken !== undefined && looksLikeJwt(token)) return authenticateLegacy(openLegacyToken(token))
      // The mark is taken before the look-up: a change that comes between the two leaves an entry that is stale.
      return authenticateUnknown(token, fingerprint, lookup.mark())
    })
}

type Find = (digest: string, generation: string) => Promise<KnownToken | null>

const createFinder = (lookup: KeyLookup, entries: Iterable<string>): Find => {
  const allowList = allowListKeys(entries)

  const findOnAllowList: Find = async (digest, generation) => {
    const key = allowList.get(digest)
    if (key === undefined) return null
    const revokedAt = (await lookup.findRevocation?.(digest)) ?? null
    const ref = digest + generation
    return { key: { ...key, revokedAt }, digest, generation, ref, expiresAt: null, revokedAt: null }
  }

  // What is stored goes first: a managed key that was revoked stays so, even where its key_id is put on the allow-list.
  return async (digest, generation) =>
    (await lookup.findByDigest(digest)) ?? (await findOnAllowList(digest, generation))
}

const judge = (token: KnownToken | null): Verdict => {
  if (token === null) return { ok: false, reason: 'not_allowed' }
  const reason = inactiveReason(token, Date.now())
  return reason === null ? { ok: true, token } : { ok: false, reason, token }
}
