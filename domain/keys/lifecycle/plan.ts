/** A change to a key that has been checked, but not written yet. */
export interface Plan<T> {
  /** The id of the key to change. */
  readonly keyId: string
  readonly result: T
  /** Writes the change. Must be called after the revision has been incremented. */
  readonly write: () => Promise<void>
}

/** Returns the plan with its result replaced by `map(result)`. */
export const planned = <T, U>(plan: Plan<T>, map: (result: T) => U): Plan<U> => ({ ...plan, result: map(plan.result) })
