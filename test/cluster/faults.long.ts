import { test } from 'tap'
import { postgresDatabase } from '../postgres.ts'
import { recovery, startCluster } from './cluster.ts'
import { clockMoved, cut, endure, killed, reset, stopped, terminated } from './faults.ts'
import { send } from './node.ts'
import type { Node } from './node.ts'
import { conclude } from './proof.ts'

// More of them, and with bounds of time: npm run test:cluster.
const BOUNDS = { changes: 2, maxRefusalMs: Infinity }

test('faults of nodes and of their network let nobody in who was shut out, and lose nothing acknowledged', async t => {
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
  for (const fault of faults) await endure(t, cluster, fault, BOUNDS)
  await conclude(t, cluster)

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
  const answer = await send(near, admin, ['POST', `/client_keys/${revoked.id}/revoke`, {}])
  t.match([answer?.status, answer?.json.receipt.leases_ended >= 1], [200, true], 'the lease of a node cut off is ended')
  t.comment(JSON.stringify(answer?.json.receipt))
  t.not(await me(far, revoked.token), 200, 'the node that is cut off does not accept it')
  for (const direction of ['up', 'down'] as const) proxy.release(direction)
  await recovery(far, admin)
  t.equal(await me(far, revoked.token), 401)

  // The question who has acknowledged is the first that is sent after the commit.
  proxy.intercept((direction, text) => direction === 'up' && text.includes('count(nodes.id)'))
  const unsure = await send(far, admin, ['POST', `/client_keys/${lost.id}/revoke`, {}])
  t.match([unsure?.status, unsure?.json.receipt], [202, null], 'a receipt that is lost')
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
  t.not((await far.ended).code, null, 'a node whose database is away stops by itself when it is told to')
})
