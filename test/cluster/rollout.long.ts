import { test } from 'tap'
import type { Test } from 'tap'
import { at, compiled, settings } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'
import { send, startNode } from './node.ts'
import type { Node } from './node.ts'
import { previousServer } from './previous.ts'
import { conclude } from './proof.ts'
import { startWorkload } from './workload.ts'

const NODES = 2
const CHANGES = Number(process.env['CLUSTER_CHANGES'] ?? 15)
const SEED = Number(process.env['CLUSTER_SEED'] ?? 11)

/** A version of the service: what its nodes are called, and its program. */
interface Version {
  readonly name: string
  readonly server: string
}

/** Replaces the nodes of a version by those of another, one by one, under load: every answer is right. */
const roll = async (t: Test, url: string, from: Version, to: Version): Promise<void> => {
  const { env, key } = settings(t, { DATABASE_URL: url })
  const start = async ({ name, server }: Version, index: number): Promise<Node> =>
    await startNode(t, `${name} ${index}`, env, server)
  // The first one makes the tables.
  let nodes: readonly Node[] = [await start(from, 0)]
  for (let index = 1; index < NODES; index++) nodes = [...nodes, await start(from, index)]
  const admin = key.keyAccessToken
  const load = await startWorkload({ admin, nodes: () => nodes, seed: SEED, writers: 3, clients: 6 })
  const go = async (step: string): Promise<void> => {
    await load.changed(CHANGES)
    const names = (await send(at(nodes), admin, ['GET', '/nodes']))?.json.map(({ name }: Node) => name)
    t.same(names.sort(), nodes.map(({ name }) => name).sort(), `${step}: the nodes know each other`)
    t.same(load.violations(), [], step)
  }

  await go(`only ${from.name}`)
  for (const [index, leaving] of nodes.entries()) {
    nodes = [...nodes, await start(to, index)]
    await go(`${to.name} ${index} joins`)
    nodes = nodes.filter(node => node !== leaving)
    leaving.signal('SIGTERM')
    t.equal((await leaving.ended).code, 0, `${leaving.name} stops by itself`)
    await go(`${leaving.name} has left`)
  }
  await conclude(t, { url, near: at(nodes), load })
}

for (const isBack of [false, true]) {
  const words = isBack ? 'taken back to nodes of the previous release' : 'updated from nodes of the previous release'
  test(`a cluster is ${words} one by one: nothing is stale, and nothing is lost`, async t => {
    const url = await postgresDatabase(t)
    if (url === null) return
    const server = await previousServer(t)
    if (server === null) return
    const versions = [
      { name: 'previous', server },
      { name: 'this', server: compiled('server.ts') }
    ]
    if (isBack) versions.reverse()
    await roll(t, url, at(versions, 0), at(versions, 1))
  })
}
