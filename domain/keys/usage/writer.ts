import { storableUserAgent } from '../../../net/user-agent.ts'
import type { Transactor } from '../../transactor.ts'
import type {
  EnvironmentUsage,
  KeyUsageCount,
  KeyUsageRows,
  KnownUsageCount,
  ManagedUsage,
  TokenUsage,
  UsageCount
} from '../rows.ts'
import { DAYS_KEPT, MAX_ADDRESSES, OTHER_ADDRESSES } from './recorder.ts'
import type { TokenUse } from './recorder.ts'

const DAY_MS = 86_400_000

/** Returns the UTC date `days` days before a time, such as 2026-01-31. */
export const dayBefore = (at: Date, days: number): string =>
  new Date(at.getTime() - days * DAY_MS).toISOString().slice(0, 10)

const usageOf = ({ count, lastAt, lastIp, lastAgent }: TokenUse): TokenUsage => ({
  count,
  lastUsedAt: new Date(lastAt),
  lastUsedIp: lastIp,
  lastUsedAgent: storableUserAgent(lastAgent)
})

const managedUses = (uses: readonly TokenUse[]): ManagedUsage[] =>
  uses
    .filter(({ count, token }) => count > 0 && token.key.source === 'managed')
    .map(use => ({ ...usageOf(use), digest: use.token.digest }))

const environmentUses = (uses: readonly TokenUse[]): EnvironmentUsage[] =>
  uses
    .filter(({ count, token }) => count > 0 && token.key.source === 'environment')
    .map(use => ({ ...usageOf(use), id: use.token.key.id, generation: use.token.generation }))

const KINDS = { scope: 'scopes', refusal: 'refusals', address: 'addresses' } as const

const countsOf = (kind: UsageCount['kind'], day: string, uses: readonly TokenUse[]): KeyUsageCount[] =>
  uses.flatMap(use =>
    Array.from(use[KINDS[kind]], ([label, count]) => ({ id: use.token.key.id, day, kind, label, count }))
  )

/** Returns the counts, with all addresses after a key's first 100 on the day combined under one label. */
const withinLimit = (counts: readonly KnownUsageCount[]): KeyUsageCount[] => {
  const added = new Map<string, Set<string>>()
  return counts.map(({ isStored, labels, ...count }) => {
    const others = added.get(count.id) ?? new Set<string>()
    if (isStored || others.has(count.label)) return count
    if (labels + others.size >= MAX_ADDRESSES) return { ...count, label: OTHER_ADDRESSES }
    added.set(count.id, others.add(count.label))
    return count
  })
}

const addUses = async (keys: KeyUsageRows, day: string, uses: readonly TokenUse[]): Promise<void> => {
  await keys.addTokenUsage(managedUses(uses))
  await keys.addEnvironmentUsage(environmentUses(uses))
  const addresses = withinLimit(await keys.lockUsageLabels(countsOf('address', day, uses)))
  await keys.addUsage([...countsOf('scope', day, uses), ...countsOf('refusal', day, uses), ...addresses])
}

/**
 * Creates the function that stores one day's usage of keys. The function doesn't wait for the disk, so a power failure
 * may lose the latest usage. Once a day, it deletes counts that are older than the retention period.
 */
export const createUsageWriter = ({
  write
}: Pick<Transactor<unknown, { keys: KeyUsageRows }>, 'write'>): ((
  day: string,
  uses: readonly TokenUse[]
) => Promise<void>) => {
  let prunedOn = ''
  return async (day, uses) => {
    if (day > prunedOn) {
      const first = dayBefore(new Date(day), DAYS_KEPT - 1)
      await write(
        async ({ keys }) => {
          await keys.removeUsage({ day: first })
        },
        { mayBeLost: true }
      )
      prunedOn = day
    }
    await write(
      async ({ keys }) => {
        await addUses(keys, day, uses)
      },
      { mayBeLost: true }
    )
  }
}
