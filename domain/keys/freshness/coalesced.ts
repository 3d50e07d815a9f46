/**
 * Wraps `run` so that at most one run is active and at most one is waiting. Each call returns the promise of a run that
 * begins after the call. All calls since the previous run began share that run.
 */
export const coalesced = (run: () => Promise<void>): (() => Promise<void>) => {
  let settled: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null

  return () => {
    next ??= settled.then(() => {
      next = null
      const running = run()
      // The returned promise rejects if `running` fails. The next run begins in any case.
      settled = running.catch(() => {})
      return running
    })
    return next
  }
}
