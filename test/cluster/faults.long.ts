import { test } from 'tap'
import type { Test } from 'tap'
import { postgresDatabase } from '../postgres.ts'
import { waitForRecovery, startCluster } from './cluster.ts'
import type { Cluster } from './cluster.ts'
import { clockMoved, cut, checkFault, killed, reset, stopped, terminated } from './faults.ts'
import { send } from './node.ts'
import type { Node } from './node.ts'
import { finishWorkload } from './proof.ts'

// `npm run test:cluster` tests more faults, with time limits.
/** The maximum difference between the clocks of this process and the database, in milliseconds. */
const SKEW_MS = 60_000
const BOUNDS = { changes: 2, maxRefusalMs: Infinity }

test('during node and network faults, no revoked token is accepted and no acknowledged change is lost', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  const cluster = await startCluster(t, url)
  const faults = [
    killed(cluster),
    stopped(cluster),
    terminated(cluster),
    cut(cluster, 'up'),
    cut(cluster, 'down'),
    reset(cluster),
    clockMoved(cluster),
    clockMoved(cluster)
  ]
  for (const fault of faults) await checkFault(t, cluster, fault, BOUNDS)
  await checkWrongClock(t, cluster)
  await finishWorkload(t, cluster)

  const { proxy, admin, near, far, clocked } = cluster
  const issue = async (name: string) => {
    const { id, key_access_token: token } = (await send(near, admin, ['POST', '/client_keys', { name }]))?.json ?? {}
    return { id: String(id), token: String(token) }
  }
  const me = async (node: Node, token: string) => (await send(node, token, ['GET', '/client_keys/me']))?.status
  const revoked = await issue('revoked')
  const lost = await issue('lost')
  for (const node of [near, far, clocked]) {
    for (const { token } of [revoked, lost]) t.equal(await me(node, token), 200)
  }

  for (const direction of ['up', 'down'] as const) proxy.hold(direction)
  const reply = await send(near, admin, ['POST', `/client_keys/${revoked.id}/revoke`, {}])
  t.match(
    [reply?.status, reply?.json.receipt.leases_ended >= 1],
    [200, true],
    'the lease of the disconnected node ended'
  )
  t.comment(JSON.stringify(reply?.json.receipt))
  t.not(await me(far, revoked.token), 200, 'the disconnected node does not accept it')
  for (const direction of ['up', 'down'] as const) proxy.release(direction)
  await waitForRecovery(far, admin)
  t.equal(await me(far, revoked.token), 401)

  // The first query after the commit is the one for the acknowledgements.
  proxy.intercept((direction, text) => direction === 'up' && text.includes('count(nodes.id)'))
  const unsure = await send(far, admin, ['POST', `/client_keys/${lost.id}/revoke`, {}])
  t.match([unsure?.status, unsure?.json.receipt], [202, null], 'the receipt is lost')
  const location = unsure?.headers.get('location') ?? ''
  t.match(location, /^\/receipts\/\d+-[-0-9a-f]{36}$/)
  proxy.intercept(() => false)
  for (const node of [far, near]) {
    const later = await send(node, admin, ['GET', location])
    t.match([later?.status, later?.json], [200, { id: location.split('/')[2], leases_ended: Number }])
  }
  for (const node of [near, far, clocked]) t.equal(await me(node, lost.token), 401)

  for (const direction of ['up', 'down'] as const) proxy.hold(direction)
  far.signal('SIGTERM')
  t.not((await far.ended).code, null, 'a node without a database stops on SIGTERM')
})

/** Checks that a node with a wrong wall clock uses the database's clock in responses and decisions. */
const checkWrongClock = async (t: Test, { admin, near, clocked }: Cluster): Promise<void> => {
  // The clock is three hours ahead first, then three hours behind.
  for (const move of ['ahead', 'behind']) {
    clocked.signal('SIGWINCH')
    const begun = Date.now()
    const isNow = (text: string): boolean =>
      Date.parse(text) >= begun - SKEW_MS && Date.parse(text) <= Date.now() + SKEW_MS
    const issued =
      (await send(clocked, admin, ['POST', '/client_keys', { name: `clock ${move}`, expires_at: '1h' }]))?.json ?? {}
    const { id, key_access_token: older } = issued as { id: string; key_access_token: string; expires_at: string }
    const rotated = await send(clocked, admin, ['POST', `/client_keys/${id}/rotate`, { grace_seconds: 600 }])
    t.ok(isNow(rotated?.json.receipt.effective_at), `${move}: the receipt`)
    t.ok(isNow(new Date(Date.parse(issued.expires_at) - 3_600_000).toISOString()), `${move}: the expiry`)
    for (const node of [near, clocked]) t.equal((await send(node, older, ['GET', '/client_keys/me']))?.status, 200)
    const revoked = await send(clocked, admin, ['POST', `/client_keys/${id}/revoke`, {}])
    t.ok(isNow(revoked?.json.revoked_at), `${move}: the revocation`)
    const audits = await send(near, admin, ['GET', `/audits?subject_id=${id}`])
    const times = (audits?.json as { at: string }[]).map(entry => entry.at)
    t.equal(times.length, 3)
    t.ok(times.every(isNow), `${move}: the audit trail`)
  }
  clocked.signal('SIGWINCH')
}
