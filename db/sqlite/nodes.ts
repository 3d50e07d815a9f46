import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { NodeReads, NodeState } from '../../domain/keys/freshness/nodes.ts'
import { VERSION } from '../../version.ts'
import type { Connection } from './driver.ts'

/** What a process tells of itself as a node. */
export interface OwnNode {
  readonly name?: string | undefined
  /** Those of its secrets, the current one first; none: it is no node, such as a command. */
  readonly generations?: readonly string[] | undefined
}

/** Every process reads the same file before each request, so there are no nodes to tell of a change but this one. */
export const createNodeReads = (reading: Connection, { name = hostname(), generations }: OwnNode): NodeReads => {
  const epoch = reading.prepare<[], number>('select epoch from client_key_epoch').pluck()
  const hasChange = reading
    .prepare<[number], number>('select 1 from client_key_epoch where ? between 1 and epoch')
    .pluck()
  const own = { id: randomUUID(), name, version: VERSION, startedAt: new Date(), behind: 0, leaseMs: 0 }
  return {
    nodes: async (): Promise<NodeState[]> =>
      generations === undefined ? [] : [{ ...own, generations, epoch: Number(epoch.get()), evictedAt: null }],
    findChange: async epoch => (hasChange.get(epoch) === undefined ? null : { epoch, nonce: '' })
  }
}
