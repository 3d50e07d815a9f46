import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { NodeReads, NodeState } from '../../domain/keys/freshness/nodes.ts'
import { VERSION } from '../../version.ts'
import type { StorageOptions } from '../engine.ts'
import type { Connection } from './driver.ts'
import { readNow } from './transactor.ts'

/** Creates the node reads. Every process reads the file before each request, so no other node needs to be notified. */
export const createNodeReads = (
  reading: Connection,
  { name = hostname(), generations }: Pick<StorageOptions, 'name' | 'generations'>
): NodeReads => {
  const epoch = reading.prepare<[], number>('select epoch from client_key_epoch').pluck()
  const change = reading.prepare<[number, string]>('select 1 from client_key_changes where epoch = ? and nonce = ?')
  const own = { id: randomUUID(), name, version: VERSION, startedAt: new Date(), behind: 0, leaseMs: 0 }
  return {
    nodes: async (): Promise<NodeState[]> =>
      generations === undefined
        ? []
        : [{ ...own, generations, epoch: Number(readNow(() => epoch.get())), evictedAt: null }],
    hasChange: async ({ epoch, nonce }) => readNow(() => change.get(epoch, nonce)) !== undefined
  }
}
