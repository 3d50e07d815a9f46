import type { BackgroundHooks } from '../domain/background.ts'

/** A report about background work. `error` is null if the work has succeeded after a failure. */
export interface Report {
  readonly work: string
  readonly error: unknown
}

/** Creates hooks that collect reports. `next` resolves with the next report. */
export const createReports = () => {
  const reports: Report[] = []
  let arrived: (report: Report) => void = () => {}
  const add = (report: Report): void => {
    reports.push(report)
    arrived(report)
  }
  const background: BackgroundHooks = {
    onFailure: (error, work) => {
      add({ work, error })
    },
    onRecovery: work => {
      add({ work, error: null })
    }
  }
  const next = async (): Promise<Report> =>
    await new Promise(resolve => {
      arrived = resolve
    })
  return { reports, background, next }
}
