/**
 * A reason why the service isn't ready. `lease`: this node has no lease, so it can't determine which keys have changed.
 * `primary`: the database can't be reached, or isn't the primary that accepts changes. `schema`: the database has no
 * tables, or its tables belong to another version.
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
  /** The errors that caused `failing`, for the log. */
  readonly causes: readonly unknown[]
}

/** The readiness of a database that can be used without restrictions. */
export const READY: Readiness = { keys: true, changes: true, failing: [], causes: [] }
