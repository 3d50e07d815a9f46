import { ReceiptNotFound } from '../../errors.ts'
import type { NodeReads, NodeState } from './nodes.ts'
import { changeOf, immediateReceipt } from './receipt.ts'
import type { Receipt } from './receipt.ts'
import type { KeyStore } from '../store.ts'

/** Reports which processes cache keys, and which of them have applied a change. */
export interface ReceiptService {
  /** Returns the receipt with the given id, as soon as every node has applied its change. Throws ReceiptNotFound. */
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
