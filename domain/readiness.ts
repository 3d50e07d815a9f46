/**
 * A reason why the service isn't ready. `lease`: the node has no lease, so it can't read changes. `primary`: the
 * database can't be reached, or isn't the primary that accepts changes. `schema`: the database has no tables, or those
 * of another version.
 */
export type Obstacle = 'lease' | 'primary' | 'schema'

/** The current readiness of an open database. */
export interface Readiness {
  /** Whether requests with client keys can be processed. */
  readonly keys: boolean
  /** Whether changes are accepted. */
  readonly changes: boolean
  /** The reasons why the service isn't ready. Empty if it is. */
  readonly failing: readonly Obstacle[]
  /** The errors that caused them, for the log. */
  readonly causes: readonly unknown[]
}

/** The readiness of a service that accepts everything. */
export const READY: Readiness = { keys: true, changes: true, failing: [], causes: [] }
