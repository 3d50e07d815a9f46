/** How often a key was hit in the window that runs, the hit that asks included. */
export interface Count {
  readonly hits: number
  /** In how many milliseconds the window is over. */
  readonly ttlMs: number
}

/**
 * Counts hits, exactly over every node that shares them. A key's window begins with its first hit, and the first hit
 * after its end begins the next one.
 */
export interface Counters {
  /** Counts a hit. Rejects where it can't be told how many there were; the hit may have been counted. */
  readonly hit: (key: string, windowSeconds: number) => Promise<Count>
}
