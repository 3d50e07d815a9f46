/**
 * Is called with failures of work that no caller waits for. `work` says what should have been done, such as `renew the
 * lease of this node`. No error holds a value of a statement.
 */
export interface BackgroundHooks {
  /** The work failed; called once until it succeeds again. */
  readonly onFailure: (error: unknown, work: string) => void
  /** Work that failed has succeeded again. */
  readonly onRecovery: (work: string) => void
}

const ignore = (): void => {}

/** For processes that end soon, such as commands. */
export const NOT_REPORTED: BackgroundHooks = { onFailure: ignore, onRecovery: ignore }

/** Runs one kind of work, and reports the first of several failures in a row and their end. */
export interface Watch {
  /** Rejects with the failure of the work. */
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
