/** A change of a key that has been decided, but not written. */
export interface Plan<T> {
  /** The id of the key to change. */
  readonly keyId: string
  readonly result: T
  /** Writes the change, after the revision was incremented. */
  readonly write: () => Promise<void>
}

/** Returns a plan whose result is mapped by a function. */
export const planned = <T, U>(plan: Plan<T>, map: (result: T) => U): Plan<U> => ({ ...plan, result: map(plan.result) })
