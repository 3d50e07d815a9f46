import { leastRanges, UNKNOWN_ADDRESS } from '../../../net/addresses.ts'
import { OTHER_ADDRESSES } from './recorder.ts'
import {
  covers,
  coversServiceScope,
  INTROSPECTION,
  isOwnScope,
  scopesOfService,
  serviceOf,
  withoutCovered
} from '../policy/scopes.ts'
import type { UsageCount } from '../rows.ts'

/** The smallest policy that would have allowed every recorded use of a key. */
export interface Advice {
  readonly scopes: readonly string[]
  /** Null if the key was used from more addresses than are recorded, or from unknown ones. */
  readonly allowedIps: readonly string[] | null
  /** The number of requests on which the advice is based. */
  readonly requests: number
}

/**
 * Returns the policy to recommend for a key with these scopes and this usage, or null if nothing can be recommended,
 * because the key wasn't used, or only for services that no longer exist.
 */
export const adviseOn = (usage: readonly UsageCount[], current: readonly string[]): Advice | null => {
  const labels = (kind: UsageCount['kind']): string[] => [
    ...new Set(usage.filter(count => count.kind === kind).map(({ label }) => label))
  ]
  const scopes = withoutCovered(labels('scope').flatMap(label => needed(label, current)))
  const addresses = labels('address')
  if (scopes.length === 0) return null
  return {
    scopes,
    allowedIps: addresses.some(isUnknown) ? null : leastRanges(addresses),
    requests: usage.reduce((sum, { kind, count }) => (kind === 'scope' ? sum + count : sum), 0)
  }
}

const isUnknown = (address: string): boolean => address === OTHER_ADDRESSES || address === UNKNOWN_ADDRESS

/** Returns the scopes that a use requires. They belong to the key or, except for scopes of services, to this API. */
const needed = (label: string, current: readonly string[]): readonly string[] => {
  const isCurrent = (scope: string): boolean => current.includes(scope)
  if (isOwnScope(label)) return [label]
  const service = serviceOf(label)
  if (service === null) return covers(current, INTROSPECTION) ? [INTROSPECTION] : [label].filter(isCurrent)
  if (label !== scopesOfService(service)) return coversServiceScope(current, label) ? [label] : []
  // The service didn't report which scope the use required, so the key needs everything that it has for the service.
  return current.filter(scope => serviceOf(scope) === service)
}
