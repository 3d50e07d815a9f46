import type { Clock } from './clock.ts'

/** The eviction of a node. A restored backup may list the node again, and it may be evicted again. */
export interface Eviction {
  /** The id of the node. */
  readonly id: string
  /** When it was evicted, as it is stored. */
  readonly evictedAt: string
}

/** The evictions that this process has seen. The renewals of such a node find nothing from before that on. */
export interface Evictions {
  readonly add: (evictions: Iterable<Eviction>) => void
  /** Adds evictions, and forgets those that are not named: their nodes are not listed any more. */
  readonly replace: (evictions: Iterable<Eviction>) => void
  /** For how many milliseconds an eviction has been known; 0 if it is not. */
  readonly age: (eviction: Eviction) => number
}

const nameOf = ({ id, evictedAt }: Eviction): string => `${id} ${evictedAt}`

export const createEvictions = (clock: Pick<Clock, 'monotonic'>): Evictions => {
  let seen = new Map<string, number>()
  const seenAt = (name: string): number => seen.get(name) ?? clock.monotonic()
  return {
    add: evictions => {
      for (const name of Array.from(evictions, nameOf)) seen.set(name, seenAt(name))
    },
    replace: evictions => {
      seen = new Map(Array.from(evictions, nameOf).map(name => [name, seenAt(name)]))
    },
    age: eviction => clock.monotonic() - seenAt(nameOf(eviction))
  }
}
