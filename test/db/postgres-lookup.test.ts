import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { createKeyLookup } from '../../db/postgres/keys/lookup.ts'
import type { Lease } from '../../domain/keys/freshness/lease.ts'

test('a request whose lease expires while it waits for its turn also waits for a renewal', async t => {
  let leaseMs = 1000
  const renewals: (() => void)[] = []
  const lease: Lease = {
    remaining: () => leaseMs,
    barrier: async () => {
      await new Promise<void>(resolve => {
        renewals.push(resolve)
      })
    },
    mark: () => 1,
    isFresh: () => true,
    notify: () => {},
    head: () => 1,
    close: async () => {}
  }
  const lookup = createKeyLookup({ query: async () => [] }, lease, () => 0)
  await lookup.barrier()
  t.equal(renewals.length, 0)

  let passed = 0
  const waiting = lookup.barrier().then(() => passed++)
  leaseMs = 0
  await turn()
  await turn()
  t.same([renewals.length, passed], [1, 0])
  const alone = lookup.barrier().then(() => passed++)
  t.equal(renewals.length, 2, 'a request without a lease starts its own renewal')
  for (const resolve of renewals) resolve()
  await Promise.all([waiting, alone])
  t.equal(passed, 2)
})
