import { createRangeCheck, plainAddress } from '../../../net/addresses.ts'
import type { Counters } from '../../counters.ts'
import type { Authenticate, Authenticated, Authentication, TokenRefusal } from './authenticator.ts'
import type { ClientKey, KnownToken, RateLimit } from '../client-key.ts'
import { covers } from '../policy/scopes.ts'
import type { UsageRecorder } from '../usage/recorder.ts'

/** Why a request with a key is refused. For logs, except for what its requester may know: all but `TokenRefusal`. */
export type RefusalReason =
  TokenRefusal | 'address_not_allowed' | 'insufficient_scope' | 'rate_limited' | 'limit_undecided'

/** Stands for an address that is not judged. */
export const ANY_ADDRESS = Symbol('any address')

/** What a request needs of a key, and what is known of the request; `R` are reasons of your own to refuse it. */
export interface Demand<R extends string = never> {
  /** The scopes that the key must have, all of them. If there are none, any active key is accepted. */
  readonly scopes: readonly string[]
  /** The IP address of the requester. Without it, a key with `allowed_ips` is refused. */
  readonly address?: string | undefined
  /** The `User-Agent` of the requester; it is recorded with the use of the key. */
  readonly userAgent?: string | undefined
  /** A reason of your own for which every active key is refused; the refusal is recorded for the key. */
  readonly refusal?: R | undefined
}

/** The state of the rate limit of a key, this request included. */
export interface RateStatus extends RateLimit {
  readonly remaining: number
  /** The number of seconds until the window ends, rounded up. */
  readonly resetSeconds: number
}

/** A key that may do what was demanded; `rate` is null if it has no rate limit. */
export interface Accepted extends Omit<Authenticated, 'rate'> {
  readonly rate: RateStatus | null
}

export interface Refused<R extends string = never> {
  readonly ok: false
  readonly reason: RefusalReason | R
  /** The token, if it is known whose it is. */
  readonly token?: KnownToken
  /** The state of the rate limit, if that is exceeded. */
  readonly rate?: RateStatus
  /** Why the rate limit can't be decided. */
  readonly cause?: unknown
}

export type Verdict<R extends string = never> = Accepted | Refused<R>

/**
 * Decides whether a token may do what is demanded: it opens, its key is allowed and active, the address is in the key's
 * ranges, the key has all scopes, and it is within its rate limit. Records the use or the refusal of the key. Rejects
 * only if the store fails, never because of the token.
 */
export type Verify = <R extends string = never>(token: string, demand: Demand<R>) => Promise<Verdict<R>>

/** The same, but for the rate limit, which it leaves alone. */
type Recheck = <R extends string = never>(token: string, demand: Demand<R>) => Promise<Authenticated | Refused<R>>

/** The only place in which it is decided whether a token may do something. */
export interface Verifier {
  readonly verify: Verify
  /** Decides again on a request that was accepted. It counts no request, and records a refusal only. */
  readonly recheck: Recheck
  /** Decides without recording anything. */
  readonly check: (token: string, demand: OpenDemand<never>) => Promise<Authenticated | Refused>
}

export interface VerifierOptions {
  readonly authenticate: Authenticate
  /** Counts the requests of keys that have a rate limit. */
  readonly counters: Counters
  readonly usage: Pick<UsageRecorder, 'used' | 'refused'>
}

export const createVerifier = ({ authenticate, counters, usage }: VerifierOptions): Verifier => {
  const refuse = <R extends string>(refused: Refused<R>): Refused<R> => {
    if (refused.token !== undefined) usage.refused(refused.token, refused.reason)
    return refused
  }

  const accept = (accepted: Accepted, { scopes, address, userAgent }: Demand<string>): Accepted => {
    usage.used(accepted.token, scopes, plainAddress(address), userAgent)
    return accepted
  }

  const countOne = async (found: Authenticated, limit: RateLimit, demand: Demand<string>): Promise<Verdict> => {
    const { token } = found
    const counted = await countRequest(counters, found.key.id, limit).catch((cause: unknown) => ({ cause }))
    if ('cause' in counted) return refuse<never>({ ok: false, reason: 'limit_undecided', token, ...counted })
    const { isExceeded, ...rate } = counted
    return isExceeded
      ? refuse<never>({ ok: false, reason: 'rate_limited', token, rate })
      : accept({ ...found, rate }, demand)
  }

  return {
    verify: (token, demand) =>
      authenticate(token).then(found => {
        const judged = judge(found, demand)
        if (!judged.ok) return refuse(judged)
        const { rateLimit } = judged.key
        return rateLimit === null ? accept(judged, demand) : countOne(judged, rateLimit, demand)
      }),
    recheck: async (token, demand) => {
      const judged = judge(await authenticate(token), demand)
      return judged.ok ? judged : refuse(judged)
    },
    check: async (token, demand) => judge(await authenticate(token), demand)
  }
}

/** A demand that may leave the address open. */
type OpenDemand<R extends string> = Omit<Demand<R>, 'address'> & {
  readonly address?: string | typeof ANY_ADDRESS | undefined
}

const judge = <R extends string>(
  found: Authentication,
  { scopes, address, refusal }: OpenDemand<R>
): Authenticated | Refused<R> => {
  if (!found.ok) return found
  const { key, token } = found
  if (refusal !== undefined) return { ok: false, reason: refusal, token }
  if (key.allowedIps.length > 0 && address !== ANY_ADDRESS && !isInRange(key, address)) {
    return { ok: false, reason: 'address_not_allowed', token }
  }
  for (const scope of scopes) {
    if (!covers(key.scopes, scope)) return { ok: false, reason: 'insufficient_scope', token }
  }
  return found
}

const rangeChecks = new WeakMap<ClientKey, (address: string) => boolean>()

const isInRange = (key: ClientKey, address = ''): boolean => {
  const check = rangeChecks.get(key) ?? createRangeCheck(key.allowedIps)
  rangeChecks.set(key, check)
  return check(address)
}

/** Counts a request over all tokens of a key. */
const countRequest = async (
  counters: Counters,
  keyId: string,
  { max, windowSeconds }: RateLimit
): Promise<RateStatus & { isExceeded: boolean }> => {
  const { hits, ttlMs } = await counters.hit(`rate:${keyId}`, windowSeconds)
  if (!Number.isSafeInteger(hits) || hits < 1 || !Number.isFinite(ttlMs)) {
    throw new TypeError('the counters returned no number of hits, or no time to the end of the window')
  }
  const resetSeconds = Math.max(1, Math.ceil(ttlMs / 1000))
  return { isExceeded: hits > max, max, windowSeconds, remaining: Math.max(0, max - hits), resetSeconds }
}
