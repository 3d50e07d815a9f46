import { test } from 'tap'
import { at, compiled, settings } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'
import { send, startNode } from './node.ts'
import type { Node } from './node.ts'
import { previousServer } from './previous.ts'
import { finishWorkload } from './proof.ts'
import { startWorkload } from './workload.ts'

const NODES = 2
const CHANGES = Number(process.env['CLUSTER_CHANGES'] ?? 15)
const SEED = Number(process.env['CLUSTER_SEED'] ?? 11)

/** A version of the service: the name of its nodes and its program. */
interface Version {
  readonly name: string
  readonly server: string
}

test('while nodes are being updated and rolled back one by one, no token is stale and no change is lost', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  const server = await previousServer(t)
  if (server === null) return
  const { env, key } = settings(t, { DATABASE_URL: url })
  const admin = key.keyAccessToken
  let started = 0
  const start = async ({ name, server: program }: Version): Promise<Node> =>
    await startNode(t, `${name} ${++started}`, env, program)

  const versions = { previous: { name: 'previous', server }, current: { name: 'this', server: compiled('server.ts') } }
  // The first node creates the tables.
  let nodes: readonly Node[] = [await start(versions.previous)]
  while (nodes.length < NODES) nodes = [...nodes, await start(versions.previous)]
  const load = await startWorkload({ admin, nodes: () => nodes, seed: SEED, writers: 3, clients: 6 })
  const go = async (step: string): Promise<void> => {
    await load.changed(CHANGES)
    const names = (await send(at(nodes), admin, ['GET', '/nodes']))?.json.map(({ name }: Node) => name)
    t.same(names.sort(), nodes.map(({ name }) => name).sort(), `${step}: every node is registered`)
    t.same(load.violations(), [], step)
  }

  await go('all of the previous release')
  for (const version of [versions.current, versions.previous]) {
    for (const leaving of nodes) {
      const joining = await start(version)
      nodes = [...nodes, joining]
      await go(`${joining.name} joins`)
      nodes = nodes.filter(node => node !== leaving)
      leaving.signal('SIGTERM')
      t.equal((await leaving.ended).code, 0, `${leaving.name} stops on SIGTERM`)
      await go(`${leaving.name} has left`)
    }
  }
  await finishWorkload(t, { url, near: at(nodes), load })
})
