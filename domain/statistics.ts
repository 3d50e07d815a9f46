/** The current state of an open database. */
export interface StorageStatistics {
  /** The epoch of the last key change that this process has read. */
  readonly epoch: number
  /** The number of milliseconds for which this process may still trust its cache, or null if there is no lease. */
  readonly leaseRemainingMs: number | null
  /** The numbers of connections, idle connections and waiting requests, or null if there is no connection pool. */
  readonly pool: { readonly total: number; readonly idle: number; readonly waiting: number } | null
}
