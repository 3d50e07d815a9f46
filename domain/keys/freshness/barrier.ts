/** After this many consecutive turns with only one call each, subsequent calls read immediately. */
const SINGLE_CALL_TURNS = 8
/** The number of calls that then read immediately. After that, turns are counted again. */
const IMMEDIATE_READS = 64

const RESOLVED = Promise.resolve()

/** Reads the latest changes. Returns a promise if the read is asynchronous. */
export type BarrierRead = () => void | Promise<void>

/**
 * Creates a read barrier: a function that waits for a read that began after the call. That read includes everything
 * that was committed before the call. The returned promise rejects if `read` fails.
 *
 * All calls in one turn of the event loop share one read, which begins after the last of them. Reads never overlap, so
 * an earlier read can't overwrite the result of a later one. Calls that are made during a read share the next read.
 * After several consecutive turns with only one call each, calls no longer wait for their turn to end.
 */
export const createBarrier = (read: BarrierRead): (() => Promise<void>) => {
  const current = createReader(read)
  let shared: Promise<void> | null = null
  let calls = 0
  let singleCallTurns = 0
  let immediateReads = 0

  const endTurn = (): void => {
    singleCallTurns = calls === 1 ? singleCallTurns + 1 : 0
    calls = 0
    // Calls that are made while `read` is running need another read.
    shared = null
    if (singleCallTurns < SINGLE_CALL_TURNS) return
    singleCallTurns = 0
    immediateReads = IMMEDIATE_READS
  }

  const shareRead = (): Promise<void> => {
    calls++
    shared ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        current.whenIdle(() => {
          endTurn()
          current.start().then(resolve, reject)
        })
      })
    })
    return shared
  }

  return () => {
    if (immediateReads === 0 || current.isBusy()) return shareRead()
    immediateReads--
    return current.start()
  }
}

const isPromise = (value: unknown): value is PromiseLike<void> =>
  typeof value === 'object' && value !== null && 'then' in value

interface Reader {
  readonly isBusy: () => boolean
  /** Begins a read. Must be called only if no read is running. */
  readonly start: () => Promise<void>
  /** Runs a task immediately if no read is running, or otherwise after the current read. */
  readonly whenIdle: (task: () => void) => void
}

const createReader = (read: BarrierRead): Reader => {
  let running: Promise<void> | null = null

  const whenIdle = (task: () => void): void => {
    if (running === null) {
      task()
      return
    }
    // Another task may have begun a read in the meantime.
    const again = (): void => {
      whenIdle(task)
    }
    running.then(again, again)
  }

  return {
    isBusy: () => running !== null,
    start: () => {
      try {
        const reading = read()
        if (!isPromise(reading)) return RESOLVED
        running = Promise.resolve(reading).finally(() => {
          running = null
        })
        return running
      } catch (error) {
        return Promise.reject(error)
      }
    },
    whenIdle
  }
}
