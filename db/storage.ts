import type { AppStore } from '../domain/apps/store.ts'
import type { Counters } from '../domain/counters.ts'
import type { KeyLookup } from '../domain/keys/freshness/freshness.ts'
import type { NodeReads } from '../domain/keys/freshness/nodes.ts'
import type { KeyStore } from '../domain/keys/store.ts'
import type { Readiness } from '../domain/readiness.ts'
import type { StorageStatistics } from '../domain/statistics.ts'

/** An open database, whatever the engine: services read and write through its transactor. */
export interface Storage extends AppStore, NodeReads {
  /** Client keys: changes of them have connections that nothing else takes, where connections are limited. */
  readonly keys: KeyStore
  /** What authenticated requests need, and nothing else. */
  readonly keyLookup: Required<KeyLookup>
  /** Counters that all nodes over the database share; none where there is but one node. */
  readonly counters?: Counters
  /** Whether the database is marked as sample data, which it is from its beginning or never. */
  readonly isSample: boolean
  /** Reads what the database is good for now. It never rejects. */
  readonly readiness: () => Promise<Readiness>
  /** What metrics tell of the database; from memory, at once. */
  readonly statistics: () => StorageStatistics
  /** Ends what runs in the background, and closes every connection. */
  readonly close: () => Promise<void>
}
