import type { UsageCount } from '../../domain/keys/rows.ts'

const counts = (what: string, example: Record<string, number>) =>
  ({ type: 'object', additionalProperties: { type: 'integer' }, description: what, examples: [example] }) as const

export const UsageJson = {
  $id: 'ClientKeyUsage',
  type: 'object',
  required: ['client_key_id', 'days'],
  properties: {
    client_key_id: {
      type: 'string',
      description: 'The id of the key.',
      examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11']
    },
    days: {
      type: 'array',
      description: 'The days on which the key was used, oldest first.',
      items: {
        type: 'object',
        required: ['day', 'requests', 'refusals', 'addresses'],
        properties: {
          day: { type: 'string', format: 'date', description: 'The day, in UTC.', examples: ['2026-01-31'] },
          requests: counts('The number of accepted requests by required scope.', { 'apps:read': 120 }),
          refusals: counts('The number of refused requests by reason.', { insufficient_scope: 2 }),
          addresses: counts(
            'The number of accepted requests by IP address. `*` is the total for all addresses after the first ' +
              'hundred.',
            {
              '10.0.0.5': 120
            }
          )
        }
      }
    }
  }
} as const

export const OwnerUsageJson = {
  $id: 'OwnerUsage',
  type: 'object',
  required: ['owner', 'days'],
  properties: {
    owner: { type: 'string', description: 'The owner of the keys.', examples: ['customer:4711'] },
    days: {
      type: 'array',
      description: 'The days on which keys of the owner were used, oldest first.',
      items: {
        type: 'object',
        required: ['day', 'accepted', 'requests', 'refusals'],
        properties: {
          day: { type: 'string', format: 'date', description: 'The day, in UTC.', examples: ['2026-01-31'] },
          accepted: { type: 'integer', description: 'The number of accepted requests.', examples: [120] },
          requests: counts('The number of accepted requests by required scope.', { 'apps:read': 120 }),
          refusals: counts('The number of refused requests by reason.', { insufficient_scope: 2 })
        }
      }
    }
  }
} as const

interface DayJson {
  day: string
  requests: Record<string, number>
  refusals: Record<string, number>
  addresses: Record<string, number>
}

const daysOf = (usage: readonly UsageCount[]): DayJson[] => {
  const days = new Map<string, DayJson>()
  for (const { day, kind, label, count } of usage) {
    const entry = days.get(day) ?? { day, requests: {}, refusals: {}, addresses: {} }
    entry[({ scope: 'requests', refusal: 'refusals', address: 'addresses' } as const)[kind]][label] = count
    days.set(day, entry)
  }
  return [...days.values()]
}

export const toUsageJson = (id: string, usage: readonly UsageCount[]): { client_key_id: string; days: DayJson[] } => ({
  client_key_id: id,
  days: daysOf(usage)
})

/** Returns the sum of all counts. */
export const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0)

/** Returns the summed usage of all keys of an owner as JSON. */
export const toOwnerUsageJson = (owner: string, usage: readonly UsageCount[]) => ({
  owner,
  days: daysOf(usage).map(({ day, requests, refusals, addresses }) => ({
    day,
    // Every accepted request is counted under one address, but may require several scopes, or none.
    accepted: sum(addresses),
    requests,
    refusals
  }))
})
