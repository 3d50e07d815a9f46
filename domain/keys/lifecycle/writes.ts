import type { BackgroundHooks } from '../../background.ts'
import { SecretNotShared } from '../../errors.ts'
import { createConfirmCommitted } from '../freshness/confirming.ts'
import type { Position } from '../freshness/lease-store.ts'
import { receiptIdOf } from '../freshness/receipt.ts'
import type { Known } from '../freshness/receipt.ts'
import type { KeyStore, KeyTx } from '../store.ts'
import type { CheckSecrets } from '../token/secrets.ts'
import { planned } from './plan.ts'
import type { Plan } from './plan.ts'

/** A committed change. */
export interface Committed<T> {
  readonly at: Position
  readonly result: T
}

/** A committed change, and its receipt. */
export interface Written<T> extends Known {
  readonly result: T
}

/** Plans a change. The same transaction then increments the revision and writes the change. */
type Decide<T> = (tx: KeyTx) => Promise<Plan<T>>

/** Waits until every node applies a committed change. */
export type Confirmed = <T>(committed: Committed<T>) => Promise<Written<T>>

export interface Writes {
  /** Commits a change. Resolves when every node applies it. */
  readonly commitAndConfirm: <T>(keyId: string, decide: Decide<T>) => Promise<Written<T>>
  /**
   * Stores a token for a key. Resolves after the commit. Throws SecretNotShared if another process couldn't open the
   * token; in that case, nothing is stored.
   */
  readonly storeToken: <T>(keyId: string, decide: Decide<T>) => Promise<Committed<T>>
  readonly confirmed: Confirmed
}

export interface WritesOptions {
  readonly store: KeyStore
  readonly checkSecrets: CheckSecrets
  readonly background: BackgroundHooks
}

/** Creates the functions that commit changes to keys. */
export const createWrites = ({ store, checkSecrets, background }: WritesOptions): Writes => {
  const confirm = createConfirmCommitted(store, background, 'confirm a change to a client key')

  const change = async <T>(subject: string, decide: Decide<T>): Promise<Committed<T>> => {
    const decideAndWrite = async (tx: KeyTx) => {
      const plan = await decide(tx)
      const { position } = await tx.keys.advanceRevision(plan.keyId)
      await plan.write()
      return { position, result: plan.result }
    }
    const { position, result } = await store.write(decideAndWrite, { subject })
    return { at: await position, result }
  }

  const confirmed: Writes['confirmed'] = async ({ at, result }) => ({
    result,
    receiptId: receiptIdOf(at),
    receipt: await confirm(at)
  })

  return {
    confirmed,
    commitAndConfirm: async (keyId, decide) => await confirmed(await change(keyId, decide)),
    storeToken: async (keyId, decide) => {
      const first = await change(keyId, async tx => {
        const [isShared, plan] = await Promise.all([checkSecrets(tx), decide(tx)])
        return isShared ? planned(plan, made => ({ made })) : emptyPlan(keyId)
      })
      if (first.result !== null) return { at: first.at, result: first.result.made }
      // A node that was killed stays listed until it's evicted for not acknowledging a change. Waiting for the empty
      // change above evicts such nodes.
      await confirm(first.at, { awaitsEviction: true })
      return await change(keyId, async tx => {
        const [isShared, plan] = await Promise.all([checkSecrets(tx), decide(tx)])
        if (!isShared) throw new SecretNotShared()
        return plan
      })
    }
  }
}

/** Creates a plan that increments the revision and changes nothing else. */
const emptyPlan = (keyId: string): Plan<null> => ({ keyId, result: null, write: async () => {} })
