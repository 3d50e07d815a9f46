/** After this many turns in a row with one caller each, callers are taken to come alone. */
const LONE_TURNS = 8
/** How many of them then read at once, before it is looked again whether they come alone. */
const READS_AT_ONCE = 64

const PASSED = Promise.resolve()

/**
 * Makes a read barrier: a function whose promise resolves after a read that was made when the function had been called.
 * So whatever was committed before a call is part of what is read for it.
 *
 * All callers of one turn of the event loop share one read, made when the last of them has called. Callers who come
 * alone, turn after turn, share it with nobody and need not wait. The promise rejects with what `read` throws.
 */
export const createBarrier = (read: () => void): (() => Promise<void>) => {
  let shared: Promise<void> | null = null
  let callers = 0
  let loneTurns = 0
  let readsAtOnce = 0

  const endTurn = (): void => {
    loneTurns = callers === 1 ? loneTurns + 1 : 0
    callers = 0
    // Who calls from here on, even while `read` runs, needs a read of its own.
    shared = null
    if (loneTurns < LONE_TURNS) return
    loneTurns = 0
    readsAtOnce = READS_AT_ONCE
  }

  const readAtOnce = (): Promise<void> => {
    readsAtOnce--
    try {
      read()
      return PASSED
    } catch (error) {
      return Promise.reject(error)
    }
  }

  const readTogether = (): Promise<void> => {
    callers++
    shared ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        endTurn()
        try {
          read()
          resolve()
        } catch (error) {
          reject(error)
        }
      })
    })
    return shared
  }

  return () => (readsAtOnce > 0 ? readAtOnce() : readTogether())
}
