import type { AuditRows } from '../audits/rows.ts'
import type { Confirm } from './freshness/confirmation.ts'
import type { Now } from '../time.ts'
import type { TransactorOf } from '../transaction.ts'
import type { KeyLookup } from './freshness/freshness.ts'
import type { KeyReads, KeyRows } from './rows.ts'

/** The rows that changes of keys are made on. */
export interface KeyTx {
  readonly keys: KeyRows
  readonly audits: AuditRows
  readonly now: Now
}

/** The rows of keys that are read outside of transactions. */
export interface KeyLook {
  readonly keys: KeyReads
  readonly now: Now
}

/** Where the keys of a service are stored. */
export interface KeyStore extends TransactorOf<KeyLook, KeyTx> {
  /**
   * Waits until every node obeys a change, where several remember keys: see `Confirm`. Without this, every request that
   * begins after the commit of a change obeys it.
   */
  readonly confirm?: Confirm | undefined
  /** See `KeyLookup`. */
  readonly now?: () => number
}

/**
 * A store of client keys: transactions over the rows of keys and of the audit trail, and the look-up that authenticated
 * requests need. `docs/plugin.md` says what an implementation must keep.
 */
export interface ClientKeyStore extends KeyStore {
  readonly keyLookup: KeyLookup
}
