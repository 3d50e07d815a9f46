import type { Policy } from '../domain/keys/client-key.ts'
import type { UsageCount } from '../domain/keys/rows.ts'
import { toRateLimit } from './key-records.ts'
import type { KeyRow } from './key-records.ts'
import { toOptionalDate } from './timestamps.ts'

/** The columns of a key's policy. */
export type PolicyRow = Pick<KeyRow, 'scopes' | 'expiresAt' | 'allowedIps' | 'rateLimitMax' | 'rateLimitWindowSeconds'>

export const toPolicy = (row: PolicyRow): Policy => ({
  scopes: JSON.parse(row.scopes) as string[],
  expiresAt: toOptionalDate(row.expiresAt),
  allowedIps: JSON.parse(row.allowedIps) as string[],
  rateLimit: toRateLimit(row.rateLimitMax, row.rateLimitWindowSeconds)
})

/** Collects the policies of many keys. Those that differ only in their expiry become one, with the latest expiry. */
export const createPolicies = () => {
  const policies = new Map<string, PolicyRow>()
  return {
    add: (row: PolicyRow): void => {
      const { scopes, allowedIps, rateLimitMax, rateLimitWindowSeconds, expiresAt } = row
      const name = JSON.stringify([scopes, allowedIps, rateLimitMax, rateLimitWindowSeconds])
      const known = policies.get(name)
      if (known === undefined || isLater(expiresAt, known.expiresAt)) policies.set(name, row)
    },
    all: (): Policy[] => Array.from(policies.values(), toPolicy)
  }
}

/** Returns whether a key with the first expiry lasts longer than one with the second. Null means no expiry. */
const isLater = (one: string | null, other: string | null): boolean => other !== null && (one === null || one > other)

/** The label that counts all addresses from which the keys of an owner were used. */
export const ALL_ADDRESSES = '*'

/** Adds up the usage of many keys. */
export const createUsageSums = () => {
  const sums = new Map<string, UsageCount>()
  return {
    add: (counts: readonly UsageCount[]): void => {
      for (const { day, kind, label, count } of counts) {
        const name = JSON.stringify([day, kind, label])
        sums.set(name, { day, kind, label, count: count + (sums.get(name)?.count ?? 0) })
      }
    },
    all: (): UsageCount[] => [...sums.values()].sort(inOrder)
  }
}

const inOrder = (a: UsageCount, b: UsageCount): number =>
  compare(a.day, b.day) || compare(a.kind, b.kind) || b.count - a.count || compare(a.label, b.label)

const compare = (a: string, b: string): number => {
  if (a === b) return 0
  return a < b ? -1 : 1
}
