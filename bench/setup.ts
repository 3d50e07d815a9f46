import type { Credentials } from './credentials.ts'
import type { Plan } from './plan.ts'

/** Ends what was started: a process, or a database. */
export type End = () => Promise<void>

/** What every measure is given. */
export interface Setup {
  readonly plan: Plan
  /** A folder of the measure's own, which is removed at the end. */
  readonly folder: string
  readonly credentials: Credentials
  /** The URL of a PostgreSQL server, or null if there is none. */
  readonly postgres: string | null
  /** Calls a function when the measure is over, and the function that was given last first. */
  readonly defer: (end: End) => void
}

const underWay = new Set<() => Promise<void>>()

/** Ends what measures that are broken off have started. */
export const endAll = async (): Promise<void> => {
  for (const endMeasure of [...underWay].toReversed()) await endMeasure()
}

/** Runs a measure, and ends what it started. */
export const withEnds = async <T>(measure: (defer: Setup['defer']) => Promise<T>): Promise<T> => {
  const ends: End[] = []
  const endMeasure = async (): Promise<void> => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end()
  }
  underWay.add(endMeasure)
  try {
    return await measure(end => {
      ends.push(end)
    })
  } finally {
    await endMeasure()
    underWay.delete(endMeasure)
  }
}
