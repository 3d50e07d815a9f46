import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { root, settings } from '../helper.ts'
import { send, startNode } from './node.ts'
import type { Node } from './node.ts'
import { startProxy } from './proxy.ts'
import { startWorkload } from './workload.ts'

export const LEASE_MS = 2000
const SEED = Number(process.env['CLUSTER_SEED'] ?? 11)
const CLOCK = `--import=${pathToFileURL(join(root, 'dist-test/test/cluster/clock.js')).href}`

/**
 * Starts nodes that share a database, and sends random changes and requests to them. `far` connects to the database
 * through a proxy, `clocked` has a wall clock that can be changed, and `victim` can be stopped and killed.
 */
export const startCluster = async (t: Test, url: string) => {
  const proxy = await startProxy(t, url)
  const { env, key } = settings(t, { DATABASE_URL: url })
  const admin = key.keyAccessToken
  const near = await startNode(t, 'near', env)
  const [far, clocked, victim] = await Promise.all([
    startNode(t, 'far', { ...env, DATABASE_URL: proxy.url }),
    startNode(t, 'clocked', { ...env, NODE_OPTIONS: CLOCK }),
    startNode(t, 'victim', env)
  ])
  const current = { victim }
  const nodes = () => [near, far, clocked, current.victim]
  return {
    url,
    proxy,
    admin,
    near,
    far,
    clocked,
    current,
    nodes,
    startVictim: async (): Promise<void> => {
      current.victim = await startNode(t, 'victim again', env)
    },
    load: await startWorkload({ admin, nodes, seed: SEED, writers: 4, clients: 8 })
  }
}

export type Cluster = Awaited<ReturnType<typeof startCluster>>

/** Waits until a node accepts a token, and returns how many milliseconds it took. */
export const waitForRecovery = async (node: Node, token: string): Promise<number> => {
  const begun = performance.now()
  for (;;) {
    const reply = await send(node, token, ['GET', '/apps?limit=1'])
    if (reply?.status === 200) return performance.now() - begun
    await pause(20)
  }
}
