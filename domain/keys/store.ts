import type { AuditRows } from '../audits/rows.ts'
import type { Confirm } from './freshness/confirmation.ts'
import type { TransactorOf } from '../transaction.ts'
import type { KeyLookup } from './freshness/freshness.ts'
import type { KeyReads, KeyRows } from './rows.ts'

/** The rows that changes of keys are made on. */
export interface KeyTx {
  readonly keys: KeyRows
  readonly audits: AuditRows
}

/** Where the keys of a service are stored. */
export interface KeyStore extends TransactorOf<{ readonly keys: KeyReads }, KeyTx> {
  /**
   * Waits until every node obeys a change, where several remember keys: see `Confirm`. Without this, every request that
   * begins after the commit of a change obeys it.
   */
  readonly confirm?: Confirm
}

/**
 * A store of client keys: transactions over the rows of keys and of the audit trail, and the look-up that authenticated
 * requests need. `docs/plugin.md` says what an implementation must keep.
 */
export interface ClientKeyStore extends KeyStore {
  readonly keyLookup: KeyLookup
}
