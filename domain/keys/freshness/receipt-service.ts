import { ReceiptNotFound } from '../../errors.ts'
import type { NodeReads, NodeState } from './nodes.ts'
import { changeOf, immediateReceipt } from './receipt.ts'
import type { Receipt } from './receipt.ts'
import type { KeyStore } from '../store.ts'

/** Reports which processes cache keys, and whether they have applied a change. */
export interface ReceiptService {
  /**
   * Waits until every node applies the change with the given receipt id, and returns its receipt. Throws
   * ReceiptNotFound.
   */
  readonly receipt: (id: string) => Promise<Receipt>
  readonly nodes: () => Promise<NodeState[]>
}

export const createReceiptService = (store: NodeReads & Pick<KeyStore, 'confirm'>): ReceiptService => ({
  nodes: store.nodes,
  receipt: async id => {
    const change = changeOf(id)
    if (change === null || !(await store.hasChange(change))) throw new ReceiptNotFound()
    return (await store.confirm?.(change, performance.now())) ?? immediateReceipt(change, new Date())
  }
})
