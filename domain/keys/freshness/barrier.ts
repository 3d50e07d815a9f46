/** The number of consecutive turns with a single call, after which the following calls are assumed to be single too. */
const LONE_TURNS = 8
/** The number of calls that then read immediately, before turns are counted again. */
const READS_AT_ONCE = 64

const PASSED = Promise.resolve()

/** Reads the latest changes, either synchronously or, if that requires the network, asynchronously. */
export type BarrierRead = () => void | Promise<void>

/**
 * Creates a read barrier: a function whose promise resolves after a read that began after the call. The read therefore
 * includes everything that was committed before the call. The promise rejects if `read` fails.
 *
 * All calls in one turn of the event loop share one read, which begins after the last of them. Reads never overlap, so
 * an earlier read can't overwrite the result of a later one. Calls during a read share the next read. If several
 * consecutive turns have only one call each, the following calls don't wait for the end of their turn.
 */
export const createBarrier = (read: BarrierRead): (() => Promise<void>) => {
  const current = createReader(read)
  let shared: Promise<void> | null = null
  let calls = 0
  let loneTurns = 0
  let readsAtOnce = 0

  const endTurn = (): void => {
    loneTurns = calls === 1 ? loneTurns + 1 : 0
    calls = 0
    // Every later call needs a new read, even a call while `read` runs.
    shared = null
    if (loneTurns < LONE_TURNS) return
    loneTurns = 0
    readsAtOnce = READS_AT_ONCE
  }

  const readTogether = (): Promise<void> => {
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
    if (readsAtOnce === 0 || current.isBusy()) return readTogether()
    readsAtOnce--
    return current.start()
  }
}

const isPromise = (value: unknown): value is PromiseLike<void> =>
  typeof value === 'object' && value !== null && 'then' in value

interface Reader {
  readonly isBusy: () => boolean
  /** Begins a read. Must only be called if none is running. */
  readonly start: () => Promise<void>
  /** Runs a task immediately if no read is running, or else after the current read. */
  readonly whenIdle: (task: () => void) => void
}

const createReader = (read: BarrierRead): Reader => {
  let running: Promise<void> | null = null

  const whenIdle = (task: () => void): void => {
    if (running === null) {
      task()
      return
    }
    // Another task may begin a read before this one runs.
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
        if (!isPromise(reading)) return PASSED
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
