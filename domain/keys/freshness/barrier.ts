/** After this many turns in a row with one caller each, callers are assumed to come alone. */
const LONE_TURNS = 8
/** The number of lone callers who then read at once, before turns are counted again. */
const READS_AT_ONCE = 64

const PASSED = Promise.resolve()

/** Reads what is known of changes: at once, or later if that takes a network. */
export type BarrierRead = () => void | Promise<void>

/**
 * Creates a read barrier: a function whose promise resolves after a read that began after the function was called. So
 * whatever was committed before a call is part of what is read for it. The promise rejects with the failure of `read`.
 *
 * All callers of one turn of the event loop share one read, which begins when the last of them has called. Reads never
 * overlap, so what an earlier one found can't replace what a later one found: callers who come while a read is under
 * way share the next one. Callers who come alone, turn after turn, don't wait for the end of their turn.
 */
export const createBarrier = (read: BarrierRead): (() => Promise<void>) => {
  const current = createReader(read)
  let shared: Promise<void> | null = null
  let callers = 0
  let loneTurns = 0
  let readsAtOnce = 0

  const endTurn = (): void => {
    loneTurns = callers === 1 ? loneTurns + 1 : 0
    callers = 0
    // Whoever calls from here on, even while `read` runs, needs a read of their own.
    shared = null
    if (loneTurns < LONE_TURNS) return
    loneTurns = 0
    readsAtOnce = READS_AT_ONCE
  }

  const readTogether = (): Promise<void> => {
    callers++
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
  /** Begins a read; to be called while none is under way. */
  readonly start: () => Promise<void>
  /** Runs a task at once if no read is under way, and after the end of that read otherwise. */
  readonly whenIdle: (task: () => void) => void
}

const createReader = (read: BarrierRead): Reader => {
  let running: Promise<void> | null = null

  const whenIdle = (task: () => void): void => {
    if (running === null) {
      task()
      return
    }
    // Somebody else may begin a read before this has its turn.
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
