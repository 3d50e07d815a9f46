import type { NodeReads } from '../../domain/keys/nodes.ts'
import type { Connection } from './driver.ts'

/** Every process reads the same file before each request, so there are no nodes to tell of a change. */
export const createNodeReads = (reading: Connection): NodeReads => {
  const hasChange = reading
    .prepare<[number], number>('select 1 from client_key_epoch where ? between 1 and epoch')
    .pluck()
  return {
    nodes: async () => [],
    findChange: async epoch => (hasChange.get(epoch) === undefined ? null : { epoch, nonce: '' })
  }
}
