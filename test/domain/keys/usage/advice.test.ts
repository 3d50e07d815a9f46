import { test } from 'tap'
import { adviseOn } from '../../../../domain/keys/usage/advice.ts'
import type { UsageCount } from '../../../../domain/keys/rows.ts'

const uses = (...labels: string[]): UsageCount[] => [
  ...labels.map(label => ({ day: '2026-01-31', kind: 'scope' as const, label, count: 2 })),
  { day: '2026-01-31', kind: 'address', label: '192.0.2.7', count: 2 }
]

test('a policy has the scopes that were used, and those of services only if the key has them', t => {
  const cases: [labels: string[], current: string[], advised: string[] | null][] = [
    [['apps:read', 'audits:read'], ['*'], ['apps:read', 'audits:read']],
    [
      ['orders:read', 'apps:read'],
      ['orders:*', '*'],
      ['apps:read', 'orders:read']
    ],
    [['orders:read', 'orders:write'], ['orders:read'], ['orders:read']],
    [['orders:read'], ['*'], null],
    [['orders:*'], ['orders:*', 'apps:read'], ['orders:*']],
    [['orders:*'], ['orders:read', 'orders:write', 'ledger:read'], ['orders:read', 'orders:write']],
    [['orders:*', 'orders:read'], ['orders:*'], ['orders:*']],
    [['orders:*', 'ledger:read'], ['ledger:read'], ['ledger:read']],
    [['tokens:introspect:orders'], ['tokens:introspect:orders', 'apps:read'], ['tokens:introspect:orders']],
    [['tokens:introspect:orders'], ['tokens:introspect'], ['tokens:introspect']],
    [['tokens:introspect:orders'], ['*'], ['tokens:introspect']],
    [['tokens:introspect:orders', 'apps:read'], ['apps:read'], ['apps:read']],
    [[], ['*'], null]
  ]
  for (const [labels, current, advised] of cases) {
    const name = `${labels.join(' ')} with ${current.join(' ')}`
    t.same(adviseOn(uses(...labels), current)?.scopes ?? null, advised, name)
  }
  t.match(adviseOn(uses('apps:read'), ['*']), { allowedIps: ['192.0.2.7'], requests: 2 })
  t.equal(
    adviseOn(
      [...uses('apps:read'), ...uses('apps:read')].map(use => ({
        ...use,
        label: use.kind === 'address' ? '*' : use.label
      })),
      ['*']
    )?.allowedIps,
    null
  )
  t.end()
})
