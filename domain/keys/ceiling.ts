import { BeyondCeiling } from '../errors.ts'
import { isWithin } from '../../net/addresses.ts'
import type { KnownToken, Policy, RateLimit } from './client-key.ts'
import { covers } from './scopes.ts'

/** What a token can give: all that its key has, but nothing that outlives a token that was rotated out. */
export const ceilingOf = ({ key, expiresAt }: Pick<KnownToken, 'key' | 'expiresAt'>): Policy => {
  const ends = [key.expiresAt, expiresAt].filter(end => end !== null).sort((a, b) => a.getTime() - b.getTime())
  return { ...key, expiresAt: ends[0] ?? null }
}

/** Throws BeyondCeiling where a policy goes beyond another; without one to go beyond, nothing does. */
export const refuseBeyond = (ceiling: Policy | null, asked: Policy): void => {
  const faults = ceiling === null ? [] : beyond(ceiling, asked)
  if (faults.length > 0) throw new BeyondCeiling(faults)
}

/**
 * In what a policy goes beyond another, a sentence each; empty where it does not. Nobody gives a key, nor changes one
 * that has, what they have not themselves.
 */
export const beyond = (own: Policy, asked: Policy): string[] => [
  ...asked.scopes.filter(scope => !covers(own.scopes, scope)).map(scope => `the scope ${scope} is beyond your own`),
  ...(hasWiderAddresses(own, asked) ? ['allowed_ips reaches beyond your own'] : []),
  ...(livesLonger(own, asked) ? ['expires_at is later than your own'] : []),
  ...(isFaster(own.rateLimit, asked.rateLimit) ? ['rate_limit is beyond your own'] : [])
]

const hasWiderAddresses = (own: Policy, asked: Policy): boolean =>
  own.allowedIps.length > 0 &&
  (asked.allowedIps.length === 0 || !asked.allowedIps.every(range => isWithin(range, own.allowedIps)))

const livesLonger = (own: Policy, asked: Policy): boolean =>
  own.expiresAt !== null && (asked.expiresAt === null || asked.expiresAt > own.expiresAt)

// No more at once, and no more in the long run.
const isFaster = (own: RateLimit | null, asked: RateLimit | null): boolean =>
  own !== null &&
  (asked === null || asked.max > own.max || asked.max * own.windowSeconds > own.max * asked.windowSeconds)
