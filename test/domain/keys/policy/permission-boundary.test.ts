import { test } from 'tap'
import { policyExcesses } from '../../../../domain/keys/policy/permission-boundary.ts'
import { UNLIMITED } from '../../../../domain/keys/client-key.ts'
import type { Policy } from '../../../../domain/keys/client-key.ts'

const policy = (change: Partial<Policy> = {}): Policy => ({ ...UNLIMITED, ...change })
const rate = (max: number, windowSeconds: number): Partial<Policy> => ({ rateLimit: { max, windowSeconds } })
const [early, late] = [new Date('2030-01-01'), new Date('2031-01-01')]

test('no policy exceeds an unlimited key or itself', async t => {
  const narrow = policy({ scopes: ['apps:read'], allowedIps: ['10.0.0.0/8'], expiresAt: early, ...rate(10, 60) })
  t.same(policyExcesses(UNLIMITED, UNLIMITED), [])
  t.same(policyExcesses(UNLIMITED, narrow), [])
  t.same(policyExcesses(narrow, narrow), [])
  t.same(policyExcesses(narrow, UNLIMITED).length, 4)
})

test('every part of a policy is compared', async t => {
  const cases: [own: Partial<Policy>, asked: Partial<Policy>, isBeyond: boolean][] = [
    [{ scopes: ['apps:read'] }, { scopes: ['apps:read'] }, false],
    [{ scopes: ['apps:read', 'apps:write'] }, { scopes: ['apps:write'] }, false],
    [{ scopes: ['apps:read'] }, { scopes: ['apps:read', 'apps:write'] }, true],
    [
      { scopes: ['apps:read', 'apps:write', 'audits:read', 'client_keys:read', 'client_keys:write'] },
      { scopes: ['*'] },
      true
    ],
    [{ allowedIps: ['10.0.0.0/8'] }, { allowedIps: ['10.1.0.0/16', '10.2.0.1'] }, false],
    [{ allowedIps: ['10.0.0.0/8'] }, { allowedIps: ['10.1.0.0/16', '11.0.0.1'] }, true],
    [{ allowedIps: ['10.0.0.0/8'] }, { allowedIps: [] }, true],
    [{ expiresAt: late }, { expiresAt: early }, false],
    [{ expiresAt: early }, { expiresAt: late }, true],
    [{ expiresAt: early }, { expiresAt: null }, true],
    [rate(100, 60), rate(100, 60), false],
    [rate(100, 60), rate(100, 61), false],
    [rate(100, 60), rate(1, 1), false],
    [rate(100, 60), rate(2, 1), true],
    [rate(100, 60), rate(101, 3600), true],
    [rate(100, 60), { rateLimit: null }, true]
  ]
  for (const [own, asked, isBeyond] of cases) {
    t.equal(
      policyExcesses(policy(own), policy(asked)).length > 0,
      isBeyond,
      `${JSON.stringify(own)} ${JSON.stringify(asked)}`
    )
  }
})
