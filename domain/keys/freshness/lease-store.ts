/**
 * A position in the history of changes. The nonce distinguishes it from a position with the same epoch in the history
 * of a restored backup.
 */
export interface Position {
  readonly epoch: number
  /** A UUID that is created with the change. */
  readonly nonce: string
}

/** The key id of a change that may affect any number of keys. */
export const ALL_KEYS = '*'

/** A change to a key. */
export interface Change extends Position {
  /** The id of the managed or environment key, or `ALL_KEYS`. */
  readonly keyId: string
}

/** The data that a node registers with. */
export interface NodeRecord {
  /** An id that has never been used before, not even by a failed registration. */
  readonly id: string
  /**
   * The number of milliseconds for which the node trusts its cache after a renewal. If 0, the node queries the database
   * for every request.
   */
  readonly leaseMs: number
}

/** The maximum number of rows that `LeaseStore.renew` returns. */
export const MAX_ROWS = 1001

/**
 * Stores the registrations of nodes and the changes to keys. Every query must go to the database that changes are
 * committed to, not to a replica, and must complete or fail within a limited time.
 */
export interface LeaseStore {
  /**
   * Returns the changes from the epoch of `head` on, in order and from one snapshot. Returns at most `MAX_ROWS`
   * changes. Returns none if the node isn't registered or has been evicted.
   */
  readonly renew: (node: string, head: Position) => Promise<readonly Change[]>
  /**
   * Registers a node as not evicted and as having acknowledged the last change, and returns that change. There is
   * always at least one change. The registration must be a plain insert. When the promise resolves, it must be
   * committed to disk and to every synchronous standby.
   */
  readonly register: (node: NodeRecord) => Promise<Position>
  /** Records that the node has applied all changes up to the given epoch. Does nothing if a later epoch is recorded. */
  readonly acknowledge: (node: string, epoch: number) => Promise<void>
  /** Deletes the registration of a node that has no lease. */
  readonly deregister: (node: string) => Promise<void>
}
