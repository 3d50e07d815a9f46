import { test } from 'tap'
import { postgresDatabase } from '../postgres.ts'
import { LEASE_MS, waitForRecovery, startCluster } from './cluster.ts'
import { send } from './node.ts'

const ROUNDS = 5

test('if a node is disconnected, a revocation is acknowledged after at most 1.25 times the lease plus 500 ms', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  const { proxy, admin, near, far, load } = await startCluster(t, url)
  await load.stop()
  for (let round = 0; round < ROUNDS; round++) {
    const issued = await send(near, admin, ['POST', '/client_keys', { name: `key ${round}` }])
    await waitForRecovery(far, admin)
    for (const direction of ['up', 'down'] as const) proxy.hold(direction)
    const revoked = await send(near, admin, ['POST', `/client_keys/${String(issued?.json.id)}/revoke`, {}])
    const receipt = revoked?.json.receipt
    t.comment(JSON.stringify(receipt))
    t.match(receipt, { nodes: 4, acknowledged: 3, leases_ended: 1 })
    t.ok(receipt.waited_ms <= 1.25 * LEASE_MS + 500, `it waited ${receipt.waited_ms} ms`)
    for (const direction of ['up', 'down'] as const) proxy.release(direction)
  }
})
