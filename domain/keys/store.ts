import type { AuditRows } from '../audits/rows.ts'
import type { Confirm } from './freshness/confirmation.ts'
import type { Now } from '../time.ts'
import type { TransactorOf } from '../transaction.ts'
import type { KeyLookup } from './freshness/freshness.ts'
import type { ServiceReads } from '../services/rows.ts'
import type { KeyReads, KeyRows } from './rows.ts'

/** The rows required for changes to keys. */
export interface KeyTx {
  readonly keys: KeyRows
  readonly audits: AuditRows
  /** The services whose scopes keys can have. Undefined if keys can have only scopes that are known in advance. */
  readonly services?: ServiceReads
  readonly now: Now
}

/** The rows that can be read outside of transactions. */
export interface KeyReader {
  readonly keys: KeyReads
  readonly now: Now
}

/** Stores a service's keys. */
export interface KeyStore extends TransactorOf<KeyReader, KeyTx> {
  /**
   * If several nodes cache keys, waits until every node applies a change: see `Confirm`. Without this function, a
   * change must apply to every request that begins after its commit.
   */
  readonly confirm?: Confirm | undefined
  /** See `now` in `KeyLookup`. */
  readonly now?: () => number
}

/**
 * A store of client keys. It provides transactions on keys and the audit trail, and the lookups for authenticating
 * requests. `docs/plugin.md` specifies the requirements for an implementation.
 */
export interface ClientKeyStore extends KeyStore {
  readonly keyLookup: KeyLookup
}
