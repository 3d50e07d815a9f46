import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises'
import { RequestCancelled } from '../domain/errors.ts'

/** How long work is retried while another process has locked the database. */
const BUSY_TIMEOUT_MS = 1000
const RETRY_INTERVAL_MS = 20

/** Returns the deadline for retries of work that begins now, in milliseconds on the monotonic clock. */
export const busyDeadline = (): number => performance.now() + BUSY_TIMEOUT_MS

/**
 * Runs work, and retries it until the deadline while another process has locked the database. If the engine itself
 * waited, it would block the event loop, and with it every other request.
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

/** How long a queue may run before it yields to the process's other work. */
const MAX_TURN_MS = 10

/**
 * Creates a queue that runs tasks in order, one at a time. If a task fails, only its own promise rejects. A series of
 * tasks that complete synchronously would block the event loop, so the queue yields in between.
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
