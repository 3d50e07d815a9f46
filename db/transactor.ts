import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises'
import { RequestCancelled } from '../domain/errors.ts'

/** How long work is tried again while another process holds the database. */
const BUSY_TIMEOUT_MS = 1000
const RETRY_INTERVAL_MS = 20

/** The instant, in milliseconds of the monotonic clock, until which work that begins now is tried again. */
export const busyDeadline = (): number => performance.now() + BUSY_TIMEOUT_MS

/**
 * Runs work that another process may keep from the database, again and again until the deadline. The wait is not the
 * engine's own, which would stop the event loop and every other request with it.
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

/** Throws RequestCancelled where nobody waits for an answer any more. */
export const refuseCancelled = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true) throw new RequestCancelled()
}

/** For how long work of a queue runs before other work of the process gets its turn. */
const MAX_TURN_MS = 10

/**
 * Makes a queue: what is put in runs one after another, in order. A failure is its caller's alone. Work that answers at
 * once would keep the event loop from turning while more of it waits, so it turns in between.
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
