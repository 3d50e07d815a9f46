/** The two clocks of a process, in milliseconds. */
export interface Clock {
  /**
   * Returns the time of a clock that is never adjusted, but may stop while the machine is suspended. Only differences
   * between two times are meaningful.
   */
  readonly monotonic: () => number
  /**
   * Returns the time since 1970, from a clock that may be set forward or back, but doesn't stop while the machine is
   * suspended.
   */
  readonly wall: () => number
}

export const systemClock: Clock = { monotonic: () => performance.now(), wall: () => Date.now() }

/** Runs a task after the specified number of milliseconds. Returns a function that cancels the task. */
export type Schedule = (task: () => void, ms: number) => () => void

/** Schedules a task with a timer that doesn't keep the process alive. */
export const scheduleTimer: Schedule = (task, ms) => {
  const timer = setTimeout(task, ms).unref()
  return () => {
    clearTimeout(timer)
  }
}
