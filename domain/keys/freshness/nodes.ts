import type { Position } from './lease-store.ts'

/** The registration of a process that caches keys. */
export interface NodeState {
  readonly id: string
  readonly name: string
  /** The version of the program. */
  readonly version: string
  readonly startedAt: Date
  /** The generations of the node's secrets, the current one first. Empty if the node's version doesn't report them. */
  readonly generations: readonly string[]
  /** The epoch of the last change that the node has acknowledged. */
  readonly epoch: number
  /** The number of changes that the node hasn't acknowledged yet. */
  readonly behind: number
  readonly leaseMs: number
  /** When the node was evicted because it didn't acknowledge a change in time, or null if it hasn't been evicted. */
  readonly evictedAt: Date | null
}

/** Reads the nodes of a database, and the changes that they have acknowledged. */
export interface NodeReads {
  /**
   * Returns at most 1000 nodes, ordered by start time. On SQLite, returns only this process, and only if it's a
   * service.
   */
  readonly nodes: () => Promise<NodeState[]>
  /**
   * Returns whether the history contains a change. Returns false if the change is too old, or belongs to another
   * history.
   */
  readonly hasChange: (change: Position) => Promise<boolean>
}
