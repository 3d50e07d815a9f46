/** A change of a key that has been decided. */
export interface Plan<T> {
  /** The id of the key that changes. */
  readonly keyId: string
  readonly result: T
  /** Writes the change, after the revision has moved. */
  readonly write: () => Promise<void>
}

/** A plan with what `map` returns for its result. */
export const planned = <T, U>(plan: Plan<T>, map: (result: T) => U): Plan<U> => ({ ...plan, result: map(plan.result) })
