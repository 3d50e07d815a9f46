/**
 * A position in the history of changes. The nonce distinguishes it from the same epoch in the history of a restored
 * backup.
 */
export interface Position {
  readonly epoch: number
  /** A UUID that is created with the change. */
  readonly nonce: string
}

/** A change of a key. */
export interface Change extends Position {
  /** The id of the managed or environment key. */
  readonly keyId: string
}

/** The data with which a node registers. */
export interface NodeRecord {
  /** An id that was never used before, not even by a registration that failed. */
  readonly id: string
  /**
   * The number of milliseconds for which the node trusts its cache after a renewal. With 0, it queries the database for
   * each request.
   */
  readonly leaseMs: number
}

/** The maximum number of rows that `LeaseStore.renew` returns. */
export const MAX_ROWS = 1001

/**
 * Stores the registrations of nodes and the changes of keys. Every query must go to the database that changes are
 * committed to, not to a replica, and must complete or fail within a limited time.
 */
export interface LeaseStore {
  /**
   * Returns the changes from `head` on, including `head` itself, in order and as one snapshot shows them. Returns at
   * most `MAX_ROWS`, and none if the node isn't registered or was evicted.
   */
  readonly renew: (node: string, head: Position) => Promise<readonly Change[]>
  /**
   * Registers a node that isn't evicted and has acknowledged the last change, and returns that change. It is a plain
   * insert. When the promise resolves, it is committed, on the disk and on every synchronous standby. The history is
   * never empty.
   */
  readonly register: (node: NodeRecord) => Promise<Position>
  /** Stores that the node obeys all changes up to this epoch. Does nothing if a later epoch is already stored. */
  readonly acknowledge: (node: string, epoch: number) => Promise<void>
  /** Deletes the registration of a node that has no lease. */
  readonly deregister: (node: string) => Promise<void>
}
