/**
 * Makes a function of which at most one run is under way and at most one waits for its turn. Each call answers the
 * promise of a run that begins after the call, shared by all calls since the one before began.
 */
export const coalesced = (run: () => Promise<void>): (() => Promise<void>) => {
  let settled: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null

  return () => {
    next ??= settled.then(() => {
      next = null
      const running = run()
      // Callers get the failure of `running`; the next run begins in any case.
      settled = running.catch(() => {})
      return running
    })
    return next
  }
}
