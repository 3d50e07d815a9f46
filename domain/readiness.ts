/**
 * What keeps a service from its work: it has no `lease`, so that it can't know of changes; the database is away, or is
 * not the `primary` that accepts changes; or the database has no tables, or those of another version (`schema`).
 */
export type Obstacle = 'lease' | 'primary' | 'schema'

/** What an open database is good for at a moment. */
export interface Readiness {
  /** Whether requests with keys get their replies. */
  readonly keys: boolean
  /** Whether changes are accepted. */
  readonly changes: boolean
  /** What is in the way; empty if nothing is. */
  readonly failing: readonly Obstacle[]
  /** The failures behind that, for the log. */
  readonly causes: readonly unknown[]
}

/** The readiness that leaves nothing to be desired. */
export const READY: Readiness = { keys: true, changes: true, failing: [], causes: [] }
