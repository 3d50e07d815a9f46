/**
 * Hooks that report failures of background work, which no request waits for. `work` describes the work, such as
 * `renew the lease of this node`. The errors don't contain any values from SQL statements.
 */
export interface BackgroundHooks {
  /** Called when the work fails, but not again until it has succeeded. */
  readonly onFailure: (error: unknown, work: string) => void
  /** Called when the work succeeds again after a failure. */
  readonly onRecovery: (work: string) => void
}

const ignore = (): void => {}

/** Hooks that report nothing, for short-lived processes such as commands. */
export const NOT_REPORTED: BackgroundHooks = { onFailure: ignore, onRecovery: ignore }

/** Runs one kind of work. Reports the first of consecutive failures, and the recovery from them. */
export interface Watch {
  /** Rejects if the work fails, with the same error. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>
  /** Resolves to null if the work fails. Never rejects. */
  readonly attempt: <T>(work: () => Promise<T>) => Promise<T | null>
}

export const createWatch = (name: string, { onFailure, onRecovery }: BackgroundHooks): Watch => {
  let isFailing = false

  const run: Watch['run'] = async work => {
    try {
      const result = await work()
      if (isFailing) onRecovery(name)
      isFailing = false
      return result
    } catch (error) {
      if (!isFailing) onFailure(error, name)
      isFailing = true
      throw error
    }
  }

  return {
    run,
    attempt: async work => {
      try {
        return await run(work)
      } catch {
        return null
      }
    }
  }
}
