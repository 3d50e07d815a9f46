/** A change to a key that has been decided on, but not written yet. */
export interface Plan<T> {
  /** The id of the key to change. */
  readonly keyId: string
  readonly result: T
  /** Writes the change, after the revision has been incremented. */
  readonly write: () => Promise<void>
}

/** Returns a plan whose result is mapped by the given function. */
export const planned = <T, U>(plan: Plan<T>, map: (result: T) => U): Plan<U> => ({ ...plan, result: map(plan.result) })
