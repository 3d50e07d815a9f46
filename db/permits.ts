import { ServiceUnavailable } from '../domain/errors.ts'

/** Runs work when its turn has come. Throws ServiceUnavailable if that takes too long; the work is not run then. */
export type Enter = <T>(work: () => Promise<T>) => Promise<T>

/** Creates a queue of which at most `max` pieces of work run at once; each waits at most `waitMs` milliseconds. */
export const createPermits = (max: number, waitMs: number): Enter => {
  const waiting = new Set<() => void>()
  let running = 0

  const leave = (): void => {
    running--
    const [next] = waiting
    next?.()
  }

  const turn = async (): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer)
        waiting.delete(begin)
        running++
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(begin)
        reject(new ServiceUnavailable({ cause: new Error('too many other changes of keys are under way') }))
      }, waitMs)
      waiting.add(begin)
    })
  }

  return async work => {
    if (running < max) running++
    else await turn()
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
