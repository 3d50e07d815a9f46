import { LruMap } from 'toad-cache'

/** The number of hits in a key's current window, including the one that was just counted. */
export interface Count {
  readonly hits: number
  /** The number of milliseconds until the window ends. */
  readonly ttlMs: number
}

/**
 * Counts hits in time windows. A key's first hit starts its window, and its first hit after the end of that window
 * starts the next one. Concurrent hits in the same window never get the same number.
 */
export interface Counters {
  /** Counts a hit. Rejects if the number can't be determined; the hit may have been counted anyway. */
  readonly hit: (key: string, windowSeconds: number) => Promise<Count>
}

export interface MemoryCountersOptions {
  /** The maximum number of keys. The least recently hit key is removed first. */
  readonly maxKeys: number
  /** Returns the time in milliseconds from a monotonic clock. Defaults to `performance.now`. */
  readonly now?: () => number
}

interface Window {
  hits: number
  readonly startedAt: number
}

/** Creates counters that are kept in the memory of this process. */
export const createMemoryCounters = ({ maxKeys, now = () => performance.now() }: MemoryCountersOptions): Counters => {
  const windows = new LruMap<Window>(maxKeys)
  return {
    hit: async (key, windowSeconds) => {
      const at = now()
      const windowMs = windowSeconds * 1000
      let window = windows.get(key)
      if (window === undefined || at >= window.startedAt + windowMs) {
        window = { hits: 0, startedAt: at }
        windows.set(key, window)
      }
      window.hits++
      return { hits: window.hits, ttlMs: windowMs - (at - window.startedAt) }
    }
  }
}
