import type { AuditRows } from '../audits/rows.ts'
import type { Confirm } from './freshness/confirmation.ts'
import type { Now } from '../time.ts'
import type { TransactorOf } from '../transaction.ts'
import type { KeyLookup } from './freshness/freshness.ts'
import type { ServiceReads } from '../services/rows.ts'
import type { KeyReads, KeyRows } from './rows.ts'

/** The rows that changes to keys read and write. */
export interface KeyTx {
  readonly keys: KeyRows
  readonly audits: AuditRows
  /** The services whose scopes keys can have. Undefined if keys can have only scopes that are known in advance. */
  readonly services?: ServiceReads
  readonly now: Now
}

/** The rows of keys that can be read outside of transactions. */
export interface KeyReader {
  readonly keys: KeyReads
  readonly now: Now
}

/** The storage of a service's keys. */
export interface KeyStore extends TransactorOf<KeyReader, KeyTx> {
  /**
   * Waits until every node applies a change, if several nodes cache keys: see `Confirm`. Without this function, a
   * change must apply to every request that begins after its commit.
   */
  readonly confirm?: Confirm | undefined
  /** See `KeyLookup`. */
  readonly now?: () => number
}

/**
 * A store of client keys: transactions on the rows of keys and the audit trail, and the lookup that authenticated
 * requests need. `docs/plugin.md` specifies the requirements for an implementation.
 */
export interface ClientKeyStore extends KeyStore {
  readonly keyLookup: KeyLookup
}
