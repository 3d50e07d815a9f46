import type { Position } from './lease-store.ts'

/** A process that remembers keys, as it is registered. */
export interface NodeState {
  readonly id: string
  readonly name: string
  /** That of the program which it runs. */
  readonly version: string
  readonly startedAt: Date
  /** Those of its secrets, the current one first; none where it is of a version that does not tell them. */
  readonly generations: readonly string[]
  /** The last change that the node has confirmed. */
  readonly epoch: number
  /** How many changes were made since. */
  readonly behind: number
  readonly leaseMs: number
  /** When it was found not to confirm a change in time; null: it was not. */
  readonly evictedAt: Date | null
}

/** What can be told of the nodes of a database, and of the changes that they confirm. */
export interface NodeReads {
  /** Ordered by when they started, at most a thousand. On SQLite only this process is known, if it is a service. */
  readonly nodes: () => Promise<NodeState[]>
  /** Whether a change is in the history; false if it is of another history, or too long ago. */
  readonly hasChange: (change: Position) => Promise<boolean>
}
