import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'tap'
import type { Test } from 'tap'
import { root, settings } from '../helper.ts'
import { execute, ownPostgres } from '../postgres.ts'
import { send, startNode } from './node.ts'
import type { Node } from './node.ts'
import { conclude, isFull } from './proof.ts'
import { proxied } from './proxy.ts'
import { startWorkload } from './workload.ts'

const SEED = Number(process.env['CLUSTER_SEED'] ?? 11)
const LEASE_MS = 2000
/** How many changes are made while something ails a node, and after it is over. */
const CHANGES = isFull ? 40 : 5
const MAX_REFUSAL_MS = 3000
const CLOCK = `--import=${pathToFileURL(join(root, 'dist-test/test/cluster/clock.js')).href}`

/** A cluster with a database of its own, whose second node reaches the database by way of a proxy. */
const clusterOf = async (t: Test) => {
  const server = await ownPostgres(t)
  if (server === null) return null
  const { url } = server
  const proxy = await proxied(t, url)
  const { env, key } = settings(t, { DATABASE_URL: url })
  const near = await startNode(t, 'near', env)
  const [far, clocked] = await Promise.all([
    startNode(t, 'far', { ...env, DATABASE_URL: proxy.url }),
    startNode(t, 'clocked', { ...env, NODE_OPTIONS: CLOCK })
  ])
  return { server, url, proxy, env, admin: key.keyAccessToken, near, far, clocked }
}

/** Resolves when a node accepts again, and answers after how many milliseconds. */
const recovery = async (node: Node, token: string): Promise<number> => {
  const begun = performance.now()
  for (;;) {
    const reply = await send(node, token, ['GET', '/apps?limit=1'])
    if (reply?.status === 200) return performance.now() - begun
    await pause(20)
  }
}

test('no fault lets anybody in who was shut out, none lasts, and nothing that was acknowledged is lost', async t => {
  const cluster = await clusterOf(t)
  if (cluster === null) return
  const { server, url, proxy, env, admin, near, far, clocked } = cluster
  let victim = await startNode(t, 'victim', env)
  const nodes = () => [near, far, clocked, victim]
  const load = await startWorkload({ admin, nodes, seed: SEED, writers: 4, clients: 8 })

  const endures = async (what: string, node: () => Node, begin: () => unknown, end?: () => unknown): Promise<void> => {
    await begin()
    if (end !== undefined) {
      await load.changed(CHANGES)
      await end()
    }
    const ms = await recovery(node(), admin)
    t.comment(`${what}: the node accepts again after ${Math.round(ms)} ms`)
    if (isFull) t.ok(ms <= MAX_REFUSAL_MS, `${what}: it refuses for 3 s at most`)
    await load.changed(CHANGES)
    t.same(load.violations(), [], what)
  }

  await endures(
    'killed',
    () => victim,
    async () => {
      victim.signal('SIGKILL')
      await victim.ended
    },
    async () => {
      victim = await startNode(t, 'victim again', env)
    }
  )
  await endures(
    'stopped',
    () => victim,
    () => {
      victim.signal('SIGSTOP')
    },
    async () => {
      await pause(2 * LEASE_MS)
      victim.signal('SIGCONT')
    }
  )
  const listening = "query ilike 'listen%' or query ilike '%client_key_changes%'"
  await endures(
    'its connections terminated by the server',
    () => near,
    async () =>
      await execute(
        url,
        `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and (${listening})`
      )
  )
  for (const direction of ['up', 'down'] as const) {
    const restore = (): void => {
      proxy.release(direction)
      proxy.delay(direction, 0)
    }
    await endures(
      `cut ${direction}`,
      () => far,
      () => {
        proxy.hold(direction)
      },
      restore
    )
    await endures(
      `delayed ${direction}`,
      () => far,
      () => {
        proxy.delay(direction, 300)
      },
      restore
    )
  }
  await endures('reset', () => far, proxy.reset)
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    await endures(
      `PostgreSQL restarted by ${signal}`,
      () => near,
      async () => {
        await server.stop(signal)
        await server.start()
      }
    )
    for (const node of nodes()) await recovery(node, admin)
  }
  await conclude(t, { url, node: near, load })
})

test('a wall clock that is moved by hours lets nobody in who was shut out', async t => {
  const cluster = await clusterOf(t)
  if (cluster === null) return
  const { url, admin, near, far, clocked } = cluster
  const nodes = () => [near, far, clocked]
  const load = await startWorkload({ admin, nodes, seed: SEED, writers: 4, clients: 8 })
  for (const hours of [3, -3, 0]) {
    clocked.signal('SIGWINCH')
    t.comment(`moved to ${hours} hours: the node accepts after ${Math.round(await recovery(clocked, admin))} ms`)
    await load.changed(CHANGES)
    t.same(load.violations(), [], `${hours} hours`)
  }
  await conclude(t, { url, node: near, load })
})

test('with a node cut off, a revoke ends its lease and is acknowledged; a receipt that is lost can be had later', async t => {
  const cluster = await clusterOf(t)
  if (cluster === null) return
  const { proxy, admin, near, far, clocked } = cluster
  const issue = async (name: string) => {
    const { id, key_access_token: token } = (await send(near, admin, ['POST', '/client_keys', { name }]))?.json ?? {}
    return { id: String(id), token: String(token) }
  }
  const me = async (node: Node, token: string) => (await send(node, token, ['GET', '/client_keys/me']))?.status
  const cut = await issue('cut')
  const lost = await issue('lost')
  for (const node of [near, far, clocked]) {
    for (const { token } of [cut, lost]) t.equal(await me(node, token), 200)
  }

  for (const direction of ['up', 'down'] as const) proxy.hold(direction)
  const revoked = await send(near, admin, ['POST', `/client_keys/${cut.id}/revoke`, {}])
  t.equal(revoked?.status, 200)
  const receipt = revoked?.json.receipt
  t.comment(JSON.stringify(receipt))
  t.ok(receipt.leases_ended >= 1)
  if (isFull) {
    t.equal(receipt.leases_ended, 1)
    t.ok(receipt.waited_ms <= 1.25 * LEASE_MS + 500, `it waited ${receipt.waited_ms} ms`)
  }
  t.not(await me(far, cut.token), 200, 'the node that is cut off does not accept it')
  for (const direction of ['up', 'down'] as const) proxy.release(direction)
  await recovery(far, admin)
  t.equal(await me(far, cut.token), 401)

  // The question who has acknowledged is the first that is sent after the commit.
  proxy.intercept((direction, text) => direction === 'up' && text.includes('count(nodes.id)'))
  const unsure = await send(far, admin, ['POST', `/client_keys/${lost.id}/revoke`, {}])
  t.match([unsure?.status, unsure?.json.receipt], [202, null])
  const location = unsure?.headers.get('location') ?? ''
  t.match(location, /^\/receipts\/\d+$/)
  proxy.intercept(() => false)
  for (const node of [far, near]) {
    const later = await send(node, admin, ['GET', location])
    t.match([later?.status, later?.json], [200, { epoch: Number(location.split('/')[2]), leases_ended: Number }])
  }
  for (const node of [near, far, clocked]) t.equal(await me(node, lost.token), 401)
})

test('a node whose database is away stops when it is told to', async t => {
  const cluster = await clusterOf(t)
  if (cluster === null) return
  const { proxy, admin, far, near, server } = cluster
  t.equal(await recovery(far, admin).then(() => true), true)
  for (const direction of ['up', 'down'] as const) proxy.hold(direction)
  far.signal('SIGTERM')
  const { code } = await far.ended
  t.comment(`it ended with ${String(code)}`)
  t.not(code, null, 'by itself, within its grace')
  await server.stop()
  near.signal('SIGTERM')
  t.not((await near.ended).code, null)
})
