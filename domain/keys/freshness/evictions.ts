import type { Clock } from './clock.ts'

/** The eviction of a node. If a backup is restored, the node may be listed and evicted again. */
export interface Eviction {
  /** The id of the node. */
  readonly id: string
  /** When the node was evicted, as stored in the database. */
  readonly evictedAt: string
}

/** The evictions that this process has read. By the time it reads an eviction, the node's renewals already fail. */
export interface Evictions {
  readonly add: (evictions: Iterable<Eviction>) => void
  /** Replaces all known evictions. A node that isn't included is no longer listed. */
  readonly replace: (evictions: Iterable<Eviction>) => void
  /** Returns the number of milliseconds since this process first read an eviction, or 0 if it hasn't read it. */
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
