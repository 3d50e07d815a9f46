import type { Credentials } from './credentials.ts'
import type { Plan } from './plan.ts'

/** Stops a process, or drops a database. */
export type End = () => Promise<void>

/** The parameters of every measurement. */
export interface Setup {
  readonly plan: Plan
  /** A folder for this measurement, which is deleted at the end. */
  readonly folder: string
  readonly credentials: Credentials
  /** The URL of a PostgreSQL server, or null if there is none. */
  readonly postgres: string | null
  /** Registers a function to call when the measurement ends. Functions are called in reverse order. */
  readonly defer: (end: End) => void
}

const running = new Set<() => Promise<void>>()

/** Stops everything that the running measurements have started. */
export const endAll = async (): Promise<void> => {
  for (const endMeasure of [...running].toReversed()) await endMeasure()
}

/** Runs a measurement, and then calls the functions that it registered. */
export const withEnds = async <T>(measure: (defer: Setup['defer']) => Promise<T>): Promise<T> => {
  const ends: End[] = []
  const endMeasure = async (): Promise<void> => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end()
  }
  running.add(endMeasure)
  try {
    return await measure(end => {
      ends.push(end)
    })
  } finally {
    await endMeasure()
    running.delete(endMeasure)
  }
}
