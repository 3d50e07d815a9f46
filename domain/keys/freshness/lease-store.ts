/** A place in the history of changes. The nonce tells it from the same epoch of another history: a restored backup. */
export interface Position {
  readonly epoch: number
  /** A UUID, made with the change. */
  readonly nonce: string
}

/** A change to a key. */
export interface Change extends Position {
  /** The id of the key, of an environment key too. */
  readonly keyId: string
}

/** A node as it registers. */
export interface NodeRecord {
  /** Never used before, not even by a registration that failed. */
  readonly id: string
  /** For how many milliseconds the node trusts its memory after a renewal; 0: it asks for each request. */
  readonly leaseMs: number
}

/** At most how many rows `LeaseStore.renew` answers. */
export const MAX_ROWS = 1001

/**
 * Where nodes register and learn of changes. Whatever it is asked must go to the database that changes are committed
 * to, never to a copy of it, and must be answered or fail within a limited time.
 */
export interface LeaseStore {
  /**
   * The changes from `head` on in their order, that of `head` included, as one snapshot sees them; none where the node
   * is not registered, or is evicted. At most `MAX_ROWS`.
   */
  readonly renew: (node: string, head: Position) => Promise<readonly Change[]>
  /**
   * Registers a node that is not evicted and has acknowledged the last change, which is answered. It is a plain insert,
   * committed, on the disk and on every synchronous standby, when the promise resolves. The history is never empty.
   */
  readonly register: (node: NodeRecord) => Promise<Position>
  /** Notes that the node obeys all changes up to this epoch; an earlier epoch than what is noted changes nothing. */
  readonly acknowledge: (node: string, epoch: number) => Promise<void>
  /** Removes the node. It holds no lease. */
  readonly deregister: (node: string) => Promise<void>
}
