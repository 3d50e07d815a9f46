import { test } from 'tap'
import { ownPostgres } from '../postgres.ts'
import { waitForRecovery, startCluster } from './cluster.ts'
import { clockMoved, checkFault, createFaults } from './faults.ts'
import { finishWorkload } from './proof.ts'

// The time limit requires an otherwise idle machine.
const BOUNDS = { changes: 40, maxRefusalMs: 3000 }

test('during every fault, no revoked token is accepted and no acknowledged change is lost, and nodes recover from it', async t => {
  const server = await ownPostgres(t)
  if (server === null) return
  const cluster = await startCluster(t, server.url)
  const { near, nodes, admin } = cluster
  const faults = [...createFaults(cluster), ...[1, 2, 3].map(() => clockMoved(cluster))]
  for (const fault of faults) await checkFault(t, cluster, fault, BOUNDS)

  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    const restarted = async (): Promise<void> => {
      await server.stop(signal)
      await server.start()
    }
    const fault = { name: `PostgreSQL restarted by ${signal}`, node: () => near, begin: restarted }
    await checkFault(t, cluster, fault, BOUNDS)
    for (const node of nodes()) await waitForRecovery(node, admin)
  }
  await finishWorkload(t, cluster)
})
