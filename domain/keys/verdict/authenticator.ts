import { hash } from 'node:crypto'
import { LruMap } from 'toad-cache'
import { inactiveReason } from '../client-key.ts'
import type { ClientKey, InactiveReason, KnownToken } from '../client-key.ts'
import { ownMilliseconds } from '../../time.ts'
import type { KeyLookup } from '../freshness/freshness.ts'
import { createTokenOpener } from '../token/opener.ts'
import type { TokenSecrets } from '../token/opener.ts'
import { digestOf } from '../token/token.ts'
import type { TokenIssue } from '../token/token.ts'
import { allowListKeys } from './environment-keys.ts'

/** The reason why a token is refused. It's only for logs; responses don't contain it. */
export type TokenRefusal = TokenIssue | 'not_allowed' | 'wrong_client_id' | InactiveReason

/** An opened token. Both the token and its key are active. */
export interface Authenticated {
  readonly ok: true
  readonly key: ClientKey
  readonly token: KnownToken
  /** Always null, because the request hasn't been counted yet. */
  readonly rate: null
}

/** The result of authenticating a token. A refusal contains the token if its key is known. */
export type Authentication =
  Authenticated | { readonly ok: false; readonly reason: TokenRefusal; readonly token?: KnownToken }

export interface AuthenticatorOptions extends TokenSecrets {
  /**
   * The keys that are accepted in addition to those of `lookup`, unless they are revoked: their `key_id`s, or
   * `sha256:<64 hex>` digests of them. This list can't change while the process is running.
   */
  readonly allowList?: Iterable<string> | undefined
  /** Finds keys that aren't on the allow-list, and revocations of keys that are on it. */
  readonly lookup?: KeyLookup | undefined
  /** The maximum number of tokens in the cache. Defaults to 10,000, which take up about 4 MB. */
  readonly cacheSize?: number | undefined
  /** Receives the statistics of the cache. */
  readonly cache?: TokenCache | undefined
}

/**
 * The number of tokens found in the cache, the number of tokens that had to be opened, and the cache's current size.
 */
export interface TokenCache {
  hits: number
  misses: number
  size: () => number
}

export const createTokenCache = (): TokenCache => ({ hits: 0, misses: 0, size: () => 0 })

/** Finds a token's key. Rejects only if the lookup fails, never because of the token. */
export type Authenticate = (token: string) => Promise<Authentication>

export interface Authenticator {
  readonly authenticate: Authenticate
  /** Finds the keys of several tokens with one barrier and one lookup. The result has the order of the requests. */
  readonly authenticateAll: <T extends { readonly token: string }>(requests: readonly T[]) => Promise<Found<T>[]>
}

/** A request to find the key of a token, and the result. */
export interface Found<T> {
  readonly request: T
  readonly authentication: Authentication
}

interface CachedResult {
  mark: number
  authenticated: Authenticated
}

const RESOLVED = Promise.resolve()

/** A lookup that finds no keys, and whose results never change. */
export const NO_LOOKUP: KeyLookup = {
  barrier: () => RESOLVED,
  mark: () => 0,
  isFresh: () => true,
  findByDigest: () => null
}

/**
 * Creates the function that finds the active key of a token. Its result is the basis of a verdict: see
 * `createVerifier`.
 *
 * A token is accepted if it was sealed with a configured secret *and* the digest of its `key_id` is allowed. The result
 * is cached under the SHA-256 of the token; the token itself isn't stored. A cached result is used only while the
 * lookup reports it as fresh, and its expiry is checked every time. Refused tokens aren't cached, so a flood of them
 * can't evict accepted tokens.
 */
export const createAuthenticator = (options: AuthenticatorOptions): Authenticator => {
  const { lookup = NO_LOOKUP } = options
  const allowList = allowListKeys(options.allowList ?? [])
  const find = createFinder(lookup, allowList, digest => lookup.findByDigest(digest))
  const resolve = createResolver(options, lookup)

  return {
    authenticate: token => lookup.barrier().then(() => resolve(token, find)),

    authenticateAll: requests =>
      lookup.barrier().then(async () => {
        const findTogether = createFinder(lookup, allowList, createSharedFind(lookup))
        const resolved = new Map<string, ReturnType<Resolve>>()
        const resolveOnce = (token: string): ReturnType<Resolve> => {
          const authentication = resolved.get(token) ?? resolve(token, findTogether)
          resolved.set(token, authentication)
          return authentication
        }
        return await Promise.all(
          requests.map(async request => ({ request, authentication: await resolveOnce(request.token) }))
        )
      })
  }
}

/** Finds the key of a token after a barrier, in the cache or else with `find`. */
type Resolve = (token: string, find: Find) => Authentication | Promise<Authentication>

const createResolver = (options: AuthenticatorOptions, lookup: KeyLookup): Resolve => {
  const { cacheSize = 10_000, cache = createTokenCache() } = options
  const { now = ownMilliseconds } = lookup
  if (!Number.isInteger(cacheSize) || cacheSize < 1) throw new TypeError('cacheSize must be a positive integer')
  const opener = createTokenOpener(options)
  const cached = new LruMap<CachedResult>(cacheSize)
  cache.size = () => cached.size

  const resolveUnknown = async (
    token: string,
    find: Find,
    { fingerprint, mark }: { readonly fingerprint: string; readonly mark: number | null }
  ): Promise<Authentication> => {
    const opened = await opener.open(token)
    if (!opened.ok) return { ok: false, reason: opened.issue }
    const found = await find(digestOf(opened.keyId), opened.generation)
    // Legacy tokens are accepted only for environment keys. They aren't cached, because they may contain an expiry
    // time.
    if (opened.isLegacy) return found?.key.source === 'managed' ? notAllowed(found) : judge(found, now())
    const authentication = judge(found, now())
    if (authentication.ok && mark !== null) {
      cached.set(fingerprint, { mark, authenticated: frozen(authentication) })
    }
    return authentication
  }

  return (token, find) => {
    const fingerprint = hash('sha256', token, 'base64url')
    const known = cached.get(fingerprint)
    if (known !== undefined && lookup.isFresh(known.mark, known.authenticated.key.id)) {
      cache.hits++
      const { authenticated } = known
      return inactiveReason(authenticated.token, now()) === null ? authenticated : judge(authenticated.token, now())
    }
    cache.misses++
    // The mark is taken before the lookup. If a key changes during the lookup, the cached result is already stale.
    return resolveUnknown(token, find, { fingerprint, mark: lookup.mark() })
  }
}

type Find = (digest: string, generation: string) => Promise<KnownToken | null>

const createFinder = (
  lookup: Pick<KeyLookup, 'findRevocation'>,
  allowList: ReadonlyMap<string, ClientKey>,
  findStored: KeyLookup['findByDigest']
): Find => {
  const findOnAllowList: Find = async (digest, generation) => {
    const key = allowList.get(digest)
    if (key === undefined) return null
    const revokedAt = (await lookup.findRevocation?.(digest)) ?? null
    const ref = digest + generation
    return { key: { ...key, revokedAt }, digest, generation, ref, expiresAt: null, revokedAt: null }
  }

  // Stored keys have precedence: adding the `key_id` of a revoked managed key to the allow-list doesn't reactivate it.
  return async (digest, generation) => (await findStored(digest)) ?? (await findOnAllowList(digest, generation))
}

/** Creates a function like `findByDigest` whose concurrent calls share one `findByDigests`, if the lookup has it. */
const createSharedFind = ({ findByDigest, findByDigests }: KeyLookup): KeyLookup['findByDigest'] => {
  if (findByDigests === undefined) return findByDigest
  let wanted = new Set<string>()
  let shared: Promise<ReadonlyMap<string, KnownToken>> | null = null

  // Sealed tokens are opened synchronously, so the calls for all of them precede the end of this microtask.
  const findWanted = async (): Promise<ReadonlyMap<string, KnownToken>> => {
    await RESOLVED
    const digests = [...wanted]
    wanted = new Set()
    shared = null
    return await findByDigests(digests)
  }

  return async digest => {
    wanted.add(digest)
    shared ??= findWanted()
    return (await shared).get(digest) ?? null
  }
}

/** Freezes a result before it is cached, so that no request handler can change the result of later requests. */
const frozen = (authenticated: Authenticated): Authenticated => {
  const { token, key } = authenticated
  for (const part of [token, key, key.scopes, key.allowedIps]) Object.freeze(part)
  return authenticated
}

const notAllowed = (token: KnownToken): Authentication => ({ ok: false, reason: 'not_allowed', token })

const judge = (token: KnownToken | null, now: number): Authentication => {
  if (token === null) return { ok: false, reason: 'not_allowed' }
  const reason = inactiveReason(token, now)
  return reason === null ? { ok: true, key: token.key, token, rate: null } : { ok: false, reason, token }
}
