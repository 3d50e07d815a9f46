import { LruMap } from 'toad-cache'

/** The number of hits in a key's current window, including the hit that was just counted. */
export interface Count {
  readonly hits: number
  /** The number of milliseconds until the window ends. */
  readonly ttlMs: number
}

/**
 * Counts hits in windows. The first hit of a key starts its window. The first hit after the end of that window starts
 * the next one. Concurrent hits in one window never get the same number.
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

/** Creates counters that are stored in the memory of this process. */
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
