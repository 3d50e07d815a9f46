import { test } from 'tap'
import { at, settings } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'
import { startNode } from './node.ts'
import { finishWorkload } from './proof.ts'
import { startWorkload } from './workload.ts'

const NODES = 5
const CHANGES = Number(process.env['CLUSTER_CHANGES'] ?? 50)
const SEED = Number(process.env['CLUSTER_SEED'] ?? 11)

test(`each of ${CHANGES} random changes takes effect on five nodes in the next request`, async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  const { env, key } = settings(t, { DATABASE_URL: url })
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => await startNode(t, `node ${index}`, env))
  )
  const load = await startWorkload({
    admin: key.keyAccessToken,
    nodes: () => nodes,
    seed: SEED,
    writers: 6,
    clients: 20
  })
  const begun = performance.now()
  await load.changed(CHANGES)
  t.comment(`${Math.round(performance.now() - begun)} ms`)
  await finishWorkload(t, { url, near: at(nodes), load })
})
