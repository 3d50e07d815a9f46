import { createWatch } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import type { KeyStore } from '../store.ts'
import type { ConfirmOptions } from './confirmation.ts'
import type { Position } from './lease-store.ts'
import { immediateReceipt } from './receipt.ts'
import type { Receipt } from './receipt.ts'

/**
 * Waits until every node applies a change that was just committed. Resolves with null if the confirmation fails,
 * because the change is committed, so the requester must not get an error.
 */
export type ConfirmCommitted = (change: Position, options?: ConfirmOptions) => Promise<Receipt | null>

/** Creates the function that confirms changes. `work` names it in reports of failures. */
export const createConfirmCommitted = (
  store: Pick<KeyStore, 'confirm'>,
  background: BackgroundHooks,
  work: string
): ConfirmCommitted => {
  const confirmation = createWatch(work, background)
  return async (change, options) =>
    await confirmation.attempt(
      async () => (await store.confirm?.(change, performance.now(), options)) ?? immediateReceipt(change, new Date())
    )
}
