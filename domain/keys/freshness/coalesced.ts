/**
 * Wraps `run` so that at most one run is active and at most one is waiting. Each call returns the promise of a run that
 * begins after the call. Calls share a run if they are made after the previous run began.
 */
export const coalesced = (run: () => Promise<void>): (() => Promise<void>) => {
  let settled: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null

  return () => {
    next ??= settled.then(() => {
      next = null
      const running = run()
      // If the run fails, only the returned promise rejects. The next run begins anyway.
      settled = running.catch(() => {})
      return running
    })
    return next
  }
}
