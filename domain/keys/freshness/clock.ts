/** Both clocks of a process, in milliseconds. */
export interface Clock {
  /** Never steps, and may stop while the machine is suspended. Only differences mean something. */
  readonly monotonic: () => number
  /** Since 1970. May step either way, and goes on while the machine is suspended. */
  readonly wall: () => number
}

export const systemClock: Clock = { monotonic: () => performance.now(), wall: () => Date.now() }

/** Runs a task once, after some milliseconds; what it answers cancels that. */
export type Schedule = (task: () => void, ms: number) => () => void

/** A `Schedule` by timers that keep no process alive. */
export const scheduleTimer: Schedule = (task, ms) => {
  const timer = setTimeout(task, ms).unref()
  return () => {
    clearTimeout(timer)
  }
}
