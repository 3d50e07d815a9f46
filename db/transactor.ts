import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises'
import { RequestCancelled } from '../domain/errors.ts'

/** The time for which work is retried while another process has locked the database. */
const BUSY_TIMEOUT_MS = 1000
const RETRY_INTERVAL_MS = 20

/** Returns the time until which work that begins now is retried, in milliseconds on the monotonic clock. */
export const busyDeadline = (): number => performance.now() + BUSY_TIMEOUT_MS

/**
 * Runs the given work, and retries it until the deadline while another process has locked the database. The engine's
 * own wait would block the event loop, and every other request with it.
 */
export const withBusyRetry = async <T>(
  work: () => Promise<T>,
  isBusy: (error: unknown) => boolean,
  deadline = busyDeadline()
): Promise<T> => {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
    }
    await setTimeout(RETRY_INTERVAL_MS)
  }
}

/** Throws RequestCancelled if the requester has stopped waiting for the response. */
export const refuseCancelled = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true) throw new RequestCancelled()
}

/** The time for which a queue may run before the process's other work gets its turn. */
const MAX_TURN_MS = 10

/**
 * Creates a queue, which runs work in order, one piece at a time. A failure rejects only the promise of its own work.
 * Work that completes synchronously would block the event loop while more of it waits, so the queue yields in between.
 */
export const createQueue = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  let turnBegan: number | null = null

  const takeTurn = async (): Promise<void> => {
    if (turnBegan !== null && performance.now() - turnBegan >= MAX_TURN_MS) await nextTurn()
    if (turnBegan !== null) return
    turnBegan = performance.now()
    setImmediate(() => {
      turnBegan = null
    })
  }

  return async work => {
    const run = async () => {
      await takeTurn()
      return await work()
    }
    const result = last.then(run, run)
    last = result
    return await result
  }
}
