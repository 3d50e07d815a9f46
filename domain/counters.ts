import { LruMap } from 'toad-cache'

/** The number of hits in the current window of a key, this hit included. */
export interface Count {
  readonly hits: number
  /** The number of milliseconds until the window ends. */
  readonly ttlMs: number
}

/**
 * Counts hits in windows. The first hit of a key starts its window, and the first hit after the end of that window
 * starts the next one. Of any number of hits at once, no two in one window get the same number.
 */
export interface Counters {
  /** Counts a hit. Rejects if the number can't be determined; the hit may have been counted. */
  readonly hit: (key: string, windowSeconds: number) => Promise<Count>
}

export interface MemoryCountersOptions {
  /** The maximum number of keys; the least recently hit key is removed first. */
  readonly maxKeys: number
  /** Returns the time in milliseconds, by a clock that is never set back; `performance.now` by default. */
  readonly now?: () => number
}

interface Window {
  hits: number
  readonly startedAt: number
}

/** Creates counters in the memory of this process. */
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
