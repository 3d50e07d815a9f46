import type { AppStore } from '../domain/apps/store.ts'
import type { Counters } from '../domain/counters.ts'
import type { KeyLookup } from '../domain/keys/freshness/freshness.ts'
import type { NodeReads } from '../domain/keys/freshness/nodes.ts'
import type { Readiness } from '../domain/readiness.ts'
import type { ServiceStore } from '../domain/services/store.ts'
import type { StorageStatistics } from '../domain/statistics.ts'

/** An open database of any engine. Services read and write with its transactor. */
export interface Storage extends AppStore, NodeReads {
  /** The store of client keys and services. If connections are limited, changes to keys have their own connections. */
  readonly keys: ServiceStore
  /** Only the lookups for authenticated requests. */
  readonly keyLookup: Required<KeyLookup>
  /** The counters that all nodes of the database share. Undefined if there can be only one node. */
  readonly counters?: Counters
  /** Whether the database is marked as sample data. Only a new database can be marked. */
  readonly isSample: boolean
  /** Returns the database's current readiness. It never rejects. */
  readonly readiness: () => Promise<Readiness>
  /** Returns the database's statistics for metrics. They are kept in memory, so it returns immediately. */
  readonly statistics: () => StorageStatistics
  /** Stops all background work and closes every connection. */
  readonly close: () => Promise<void>
}
