/** What an open database knows of itself at a moment. */
export interface StorageStatistics {
  /** The number of the last change of a key that this process knows of. */
  readonly epoch: number
  /** For how many ms this process may still trust its memory; null where no lease bounds that. */
  readonly leaseRemainingMs: number | null
  /** How many connections there are, how many of them are idle, and who waits for one; null where there is no pool. */
  readonly pool: { readonly total: number; readonly idle: number; readonly waiting: number } | null
}
