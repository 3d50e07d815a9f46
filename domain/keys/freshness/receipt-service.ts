import { ReceiptNotFound } from '../../errors.ts'
import type { NodeReads, NodeState } from './nodes.ts'
import { immediateReceipt } from './receipt.ts'
import type { Receipt } from './receipt.ts'
import type { KeyStore } from '../store.ts'

/** Which processes remember keys, and which of them obey a change. */
export interface ReceiptService {
  /** The receipt of a change, waited for where need be. Throws ReceiptNotFound. */
  readonly receipt: (epoch: number) => Promise<Receipt>
  readonly nodes: () => Promise<NodeState[]>
}

export const createReceiptService = (store: NodeReads & Pick<KeyStore, 'confirm'>): ReceiptService => ({
  nodes: store.nodes,
  receipt: async epoch => {
    const change = await store.findChange(epoch)
    if (change === null) throw new ReceiptNotFound()
    return (await store.confirm?.(change, performance.now())) ?? immediateReceipt(epoch, new Date())
  }
})
