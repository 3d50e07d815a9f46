import { leastRanges } from '../../../net/addresses.ts'
import { OTHER_ADDRESSES } from './recorder.ts'
import { SCOPES } from '../policy/scopes.ts'
import type { Scope } from '../policy/scopes.ts'
import type { UsageCount } from '../rows.ts'

/** The smallest policy that would have allowed every recorded use of a key. */
export interface Advice {
  readonly scopes: readonly Scope[]
  /** Null if the key was used from more addresses than are recorded. */
  readonly allowedIps: readonly string[] | null
  /** The number of requests on which the advice is based. */
  readonly requests: number
}

/** Returns the policy to recommend for a key based on its usage, or null if it wasn't used. */
export const adviseOn = (usage: readonly UsageCount[]): Advice | null => {
  const labels = (kind: UsageCount['kind']): Set<string> =>
    new Set(usage.filter(count => count.kind === kind).map(({ label }) => label))
  const scopes = labels('scope')
  const addresses = labels('address')
  if (scopes.size === 0) return null
  return {
    scopes: SCOPES.filter(scope => scopes.has(scope)),
    allowedIps: addresses.has(OTHER_ADDRESSES) ? null : leastRanges([...addresses]),
    requests: usage.reduce((sum, { kind, count }) => (kind === 'scope' ? sum + count : sum), 0)
  }
}
