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

interface DayJson {
  day: string
  requests: Record<string, number>
  refusals: Record<string, number>
  addresses: Record<string, number>
}

export const toUsageJson = (id: string, usage: readonly UsageCount[]): { client_key_id: string; days: DayJson[] } => {
  const days = new Map<string, DayJson>()
  for (const { day, kind, label, count } of usage) {
    const entry = days.get(day) ?? { day, requests: {}, refusals: {}, addresses: {} }
    entry[({ scope: 'requests', refusal: 'refusals', address: 'addresses' } as const)[kind]][label] = count
    days.set(day, entry)
  }
  return { client_key_id: id, days: [...days.values()] }
}
