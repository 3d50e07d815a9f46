import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { execute } from '../postgres.ts'
import type { Cluster } from './cluster.ts'
import { LEASE_MS, waitForRecovery } from './cluster.ts'
import type { Node } from './node.ts'
import type { Direction } from './proxy.ts'

/** A fault of one node in a cluster. */
export interface Fault {
  readonly name: string
  /** Returns the node that has the fault. */
  readonly node: () => Node
  readonly begin: () => unknown
  /** Ends the fault. If undefined, the fault ends by itself. */
  readonly end?: () => unknown
}

export const killed = ({ current, startVictim }: Cluster): Fault => ({
  name: 'killed',
  node: () => current.victim,
  begin: async () => {
    current.victim.signal('SIGKILL')
    await current.victim.ended
  },
  end: startVictim
})

export const stopped = ({ current }: Cluster): Fault => ({
  name: 'stopped',
  node: () => current.victim,
  begin: () => {
    current.victim.signal('SIGSTOP')
  },
  end: async () => {
    await pause(2 * LEASE_MS)
    current.victim.signal('SIGCONT')
  }
})

export const terminated = ({ url, near }: Cluster): Fault => ({
  name: 'the server terminates its listening connection',
  node: () => near,
  begin: async () =>
    await execute(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and
        datname = current_database() and (query ilike 'listen%' or query ilike '%client_key_changes%')`
    )
})

export const cut = ({ far, proxy }: Cluster, direction: Direction): Fault => ({
  name: `cut ${direction}`,
  node: () => far,
  begin: () => {
    proxy.hold(direction)
  },
  end: () => {
    proxy.release(direction)
  }
})

export const delayed = ({ far, proxy }: Cluster, direction: Direction): Fault => ({
  name: `delayed ${direction}`,
  node: () => far,
  begin: () => {
    proxy.delay(direction, 300)
  },
  end: () => {
    proxy.delay(direction, 0)
  }
})

export const reset = ({ far, proxy }: Cluster): Fault => ({ name: 'reset', node: () => far, begin: proxy.reset })

/** Sets the wall clock three hours ahead, then three hours behind, then to the correct time. */
export const clockMoved = ({ clocked }: Cluster): Fault => ({
  name: 'its wall clock is changed',
  node: () => clocked,
  begin: () => {
    clocked.signal('SIGWINCH')
  }
})

/** Returns a fault of each kind, except for wall clock changes. */
export const createFaults = (cluster: Cluster): Fault[] => [
  killed(cluster),
  stopped(cluster),
  terminated(cluster),
  ...(['up', 'down'] as const).flatMap(direction => [cut(cluster, direction), delayed(cluster, direction)]),
  reset(cluster)
]

export interface FaultLimits {
  /** The number of changes that are requested during the fault, and again after it. */
  readonly changes: number
  /** The maximum time in milliseconds for which a node may refuse tokens after the fault ends. */
  readonly maxRefusalMs: number
}

/** Causes a fault under load, and checks that all responses are correct and that the node recovers. */
export const checkFault = async (
  t: Test,
  { load, admin }: Cluster,
  { name, node, begin, end }: Fault,
  { changes, maxRefusalMs }: FaultLimits
): Promise<void> => {
  await begin()
  if (end !== undefined) {
    await load.changed(changes)
    await end()
  }
  const ms = await waitForRecovery(node(), admin)
  t.comment(`${name}: the node accepts tokens again after ${Math.round(ms)} ms`)
  t.ok(ms <= maxRefusalMs, `${name}: it refuses tokens for at most ${maxRefusalMs} ms`)
  await load.changed(changes)
  t.same(load.violations(), [], name)
}
