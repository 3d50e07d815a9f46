import type { KeyStore } from '../../domain/keys/store.ts'
import type { Metrics } from './metrics.ts'

/** Wraps a store, so that the metrics include the time that each change waits for its receipt. */
export const observed = <S extends Pick<KeyStore, 'confirm'>>(
  store: S,
  metrics: Pick<Metrics, 'observeReceipt'> | null
): S => {
  const { confirm } = store
  if (confirm === undefined) return store
  return {
    ...store,
    confirm: async (change, committedAt, options) => {
      const receipt = await confirm(change, committedAt, options)
      metrics?.observeReceipt(receipt.waitedMs)
      return receipt
    }
  }
}
