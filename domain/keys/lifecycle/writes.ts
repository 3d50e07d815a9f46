import { createWatch } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import { SecretNotShared } from '../../errors.ts'
import type { ConfirmOptions } from '../freshness/confirmation.ts'
import type { Position } from '../freshness/lease-store.ts'
import { immediateReceipt, receiptIdOf } from '../freshness/receipt.ts'
import type { Known, Receipt } from '../freshness/receipt.ts'
import type { KeyStore, KeyTx } from '../store.ts'
import type { CheckSecrets } from '../token/secrets.ts'
import { planned } from './plan.ts'
import type { Plan } from './plan.ts'

/** A change that was committed. */
export interface Committed<T> {
  readonly at: Position
  readonly result: T
}

/** A change that was committed, and its receipt. */
export interface Written<T> extends Known {
  readonly result: T
}

/** Plans a change, in a transaction that then increments the revision and writes the change. */
type Decide<T> = (tx: KeyTx) => Promise<Plan<T>>

/** Waits until every node applies a change that was just committed. */
export type Confirmed = <T>(committed: Committed<T>) => Promise<Written<T>>

export interface Writes {
  /** Commits a change, and resolves when every node applies it. */
  readonly restrict: <T>(keyId: string, decide: Decide<T>) => Promise<Written<T>>
  /**
   * Stores a token for a key, and resolves after the commit. Throws SecretNotShared, and stores nothing, if another
   * process couldn't open the token.
   */
  readonly seal: <T>(keyId: string, decide: Decide<T>) => Promise<Committed<T>>
  readonly confirmed: Confirmed
}

export interface WritesOptions {
  readonly store: KeyStore
  readonly checkSecrets: CheckSecrets
  readonly background: BackgroundHooks
}

/** Creates the functions that commit changes of keys. */
export const createWrites = ({ store, checkSecrets, background }: WritesOptions): Writes => {
  const confirmation = createWatch('confirm a change of a client key', background)

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

  // The change is committed, even if the confirmation fails, so the requester must not get an error.
  const confirm = async (at: Position, options?: ConfirmOptions): Promise<Receipt | null> =>
    await confirmation.attempt(
      async () => (await store.confirm?.(at, performance.now(), options)) ?? immediateReceipt(at, new Date())
    )

  const confirmed: Writes['confirmed'] = async ({ at, result }) => ({
    result,
    receiptId: receiptIdOf(at),
    receipt: await confirm(at)
  })

  return {
    confirmed,
    restrict: async (keyId, decide) => await confirmed(await change(keyId, decide)),
    seal: async (keyId, decide) => {
      const first = await change(keyId, async tx => {
        const [isShared, plan] = await Promise.all([checkSecrets(tx), decide(tx)])
        return isShared ? planned(plan, made => ({ made })) : nothing(keyId)
      })
      if (first.result !== null) return { at: first.at, result: first.result.made }
      // A killed node is listed until it's evicted for not confirming a change, so this waits for the empty change
      // above.
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
const nothing = (keyId: string): Plan<null> => ({ keyId, result: null, write: async () => {} })
