/** The current state of an open database. */
export interface StorageStatistics {
  /** The epoch of the last key change that this process has read. */
  readonly epoch: number
  /** The number of milliseconds until this process's lease expires, or null if it doesn't use leases. */
  readonly leaseRemainingMs: number | null
  /**
   * The numbers of connections, idle connections and waiting requests in the connection pool, or null if there is no
   * pool.
   */
  readonly pool: { readonly total: number; readonly idle: number; readonly waiting: number } | null
}
