import { createRangeCheck, plainAddress } from '../../../net/addresses.ts'
import type { Counters } from '../../counters.ts'
import type { Authenticated, Authentication, Authenticator, TokenRefusal } from './authenticator.ts'
import type { ClientKey, KnownToken, RateLimit } from '../client-key.ts'
import { covers } from '../policy/scopes.ts'
import type { ScopeRule } from './scope-rule.ts'
import type { UsageRecorder } from '../usage/recorder.ts'

/**
 * The reason why a request with a key is refused. Requesters may see these reasons, except those of `TokenRefusal`,
 * which are only for logs.
 */
export type RefusalReason =
  TokenRefusal | 'address_not_allowed' | 'insufficient_scope' | 'rate_limited' | 'limit_undecided'

/** Disables the address check. */
export const ANY_ADDRESS = Symbol('any address')

/** The requirements and properties of a request. `R` is the type of your own reasons for refusing requests. */
export interface Demand<R extends string = never> {
  /** The scopes that the key must have. If the array is empty, any active key is accepted. */
  readonly scopes: readonly string[]
  /** The requester's IP address. If it's omitted, keys with `allowed_ips` are refused. */
  readonly address?: string | undefined
  /** The requester's `User-Agent`. It's recorded with the use of the key. */
  readonly userAgent?: string | undefined
  /** Your own reason for refusing the request, even if the key is active. The refusal is recorded for the key. */
  readonly refusal?: R | undefined
}

/** A demand with the additional requirements of this service. */
export interface KeyDemand<R extends string = never> extends Omit<Demand<R>, 'scopes'> {
  /** The scopes that the key must have, or a rule that its scopes must meet. */
  readonly scopes: readonly string[] | ScopeRule
  /** The id that the key must have. */
  readonly keyId?: string | undefined
}

/** The state of a key's rate limit, including this request. */
export interface RateStatus extends RateLimit {
  readonly remaining: number
  /** The number of seconds until the window ends, rounded up. */
  readonly resetSeconds: number
}

/** A key that meets the demand. `rate` is null if the key has no rate limit. */
export interface Accepted extends Omit<Authenticated, 'rate'> {
  readonly rate: RateStatus | null
}

export interface Refused<R extends string = never> {
  readonly ok: false
  readonly reason: RefusalReason | R
  /** The token, if its key is known. */
  readonly token?: KnownToken
  /** The state of the rate limit, if it was exceeded. */
  readonly rate?: RateStatus
  /** The error because of which the rate limit couldn't be checked. */
  readonly cause?: unknown
}

export type Verdict<R extends string = never> = Accepted | Refused<R>

/**
 * Checks whether a token meets a demand: the token can be opened, its key is allowed and active, the key has all of the
 * scopes and is accepted from the address, and its rate limit isn't exceeded. Records the use or refusal of the key.
 * Rejects only if the store fails, never because of the token.
 */
export type Verify = <R extends string = never>(token: string, demand: KeyDemand<R>) => Promise<Verdict<R>>

/** A token, and the demand that it must meet. */
export interface VerifyRequest<R extends string = never> {
  readonly token: string
  readonly demand: KeyDemand<R>
}

/** Does the same as `Verify`, but neither checks nor counts the rate limit. */
type Recheck = <R extends string = never>(token: string, demand: KeyDemand<R>) => Promise<Authenticated | Refused<R>>

/** Verifies tokens. All code that accepts or refuses tokens uses one of these functions. */
export interface Verifier {
  readonly verify: Verify
  /** Does the same as `verify` for several tokens, in the same order. All of them share one barrier and one lookup. */
  readonly verifyAll: <R extends string = never>(requests: readonly VerifyRequest<R>[]) => Promise<Verdict<R>[]>
  /** Decides on an already accepted request again. Doesn't count it, and records only refusals. */
  readonly recheck: Recheck
  /** Verifies a token without recording or counting the request. */
  readonly check: (token: string, demand: OpenDemand<never>) => Promise<Authenticated | Refused>
}

export interface VerifierOptions extends Authenticator {
  /** Counts the requests of keys with a rate limit. */
  readonly counters: Counters
  readonly usage: Pick<UsageRecorder, 'used' | 'refused'>
}

export const createVerifier = ({ authenticate, authenticateAll, counters, usage }: VerifierOptions): Verifier => {
  const refuse = <R extends string>(refused: Refused<R>): Refused<R> => {
    if (refused.token !== undefined) usage.refused(refused.token, refused.reason)
    return refused
  }

  const accept = (accepted: Accepted, { scopes, address, userAgent }: KeyDemand<string>): Accepted => {
    usage.used(accepted.token, usedScopes(accepted.key, scopes), plainAddress(address), userAgent)
    return accepted
  }

  const countOne = async (found: Authenticated, limit: RateLimit, demand: KeyDemand<string>): Promise<Verdict> => {
    const { token } = found
    const counted = await countRequest(counters, found.key.id, limit).catch((cause: unknown) => ({ cause }))
    if ('cause' in counted) return refuse<never>({ ok: false, reason: 'limit_undecided', token, ...counted })
    const { isExceeded, ...rate } = counted
    return isExceeded
      ? refuse<never>({ ok: false, reason: 'rate_limited', token, rate })
      : accept({ ...found, rate }, demand)
  }

  const decide = <R extends string>(found: Authentication, demand: KeyDemand<R>): Verdict<R> | Promise<Verdict<R>> => {
    const judged = judge(found, demand)
    if (!judged.ok) return refuse(judged)
    const { rateLimit } = judged.key
    return rateLimit === null ? accept(judged, demand) : countOne(judged, rateLimit, demand)
  }

  return {
    verify: (token, demand) => authenticate(token).then(found => decide(found, demand)),
    verifyAll: async requests => {
      const found = await authenticateAll(requests)
      return await Promise.all(
        found.map(async ({ request, authentication }) => await decide(authentication, request.demand))
      )
    },
    recheck: async (token, demand) => {
      const judged = judge(await authenticate(token), demand)
      return judged.ok ? judged : refuse(judged)
    },
    check: async (token, demand) => judge(await authenticate(token), demand)
  }
}

/** A demand whose address may be left unchecked. */
type OpenDemand<R extends string> = Omit<KeyDemand<R>, 'address'> & {
  readonly address?: string | typeof ANY_ADDRESS | undefined
}

const judge = <R extends string>(
  found: Authentication,
  { scopes, address, refusal, keyId }: OpenDemand<R>
): Authenticated | Refused<R> => {
  if (!found.ok) return found
  const { key, token } = found
  if (keyId !== undefined && keyId !== key.id) return { ok: false, reason: 'wrong_client_id', token }
  if (refusal !== undefined) return { ok: false, reason: refusal, token }
  if (key.allowedIps.length > 0 && address !== ANY_ADDRESS && !isInRange(key, address)) {
    return { ok: false, reason: 'address_not_allowed', token }
  }
  return hasScopes(key, scopes) ? found : { ok: false, reason: 'insufficient_scope', token }
}

const isRule = (scopes: KeyDemand['scopes']): scopes is ScopeRule => 'isMetBy' in scopes

const hasScopes = (key: ClientKey, scopes: KeyDemand['scopes']): boolean => {
  if (isRule(scopes)) return scopes.isMetBy(key.scopes)
  for (const scope of scopes) {
    if (!covers(key.scopes, scope)) return false
  }
  return true
}

const usedScopes = (key: ClientKey, scopes: KeyDemand['scopes']): readonly string[] =>
  isRule(scopes) ? scopes.used(key.scopes) : scopes

const rangeChecks = new WeakMap<ClientKey, (address: string) => boolean>()

const isInRange = (key: ClientKey, address = ''): boolean => {
  const check = rangeChecks.get(key) ?? createRangeCheck(key.allowedIps)
  rangeChecks.set(key, check)
  return check(address)
}

/** Counts a request towards a key's rate limit, which all of its tokens share. */
const countRequest = async (
  counters: Counters,
  keyId: string,
  { max, windowSeconds }: RateLimit
): Promise<RateStatus & { isExceeded: boolean }> => {
  const { hits, ttlMs } = await counters.hit(`rate:${keyId}`, windowSeconds)
  if (!Number.isSafeInteger(hits) || hits < 1 || !Number.isFinite(ttlMs)) {
    throw new TypeError('the counters must return the number of hits and the time until the window ends')
  }
  const resetSeconds = Math.max(1, Math.ceil(ttlMs / 1000))
  return { isExceeded: hits > max, max, windowSeconds, remaining: Math.max(0, max - hits), resetSeconds }
}
