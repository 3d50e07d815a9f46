import { ServiceUnavailable } from '../domain/errors.ts'

/** Runs work when its turn comes. Throws ServiceUnavailable if that takes too long. */
export type Enter = <T>(work: () => Promise<T>) => Promise<T>

/** Creates a queue that runs at most `max` tasks at once. Each task waits for at most `waitMs` milliseconds. */
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
        reject(new ServiceUnavailable({ cause: new Error('too many other changes to keys are in progress') }))
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

/** Runs work after any earlier work for the same subject has finished. Work without a subject runs immediately. */
export type EnterBySubject = <T>(subject: string | undefined, work: () => Promise<T>) => Promise<T>

/**
 * Creates a queue for each subject, which runs one task at a time. Each task waits for at most `waitMs` milliseconds.
 */
export const createSubjectPermits = (waitMs: number): EnterBySubject => {
  const queues = new Map<string, { readonly enter: Enter; users: number }>()
  return async (subject, work) => {
    if (subject === undefined) return await work()
    const queue = queues.get(subject) ?? { enter: createPermits(1, waitMs), users: 0 }
    queues.set(subject, queue)
    queue.users++
    try {
      return await queue.enter(work)
    } finally {
      if (--queue.users === 0) queues.delete(subject)
    }
  }
}
