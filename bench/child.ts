import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a child process answers, by the name of the question. */
export type Answers = Record<string, (argument: never) => unknown>

export interface Child<A extends Answers> {
  /** Rejects where the child fails at it, or ends. */
  ask: <Name extends keyof A & string>(
    name: Name,
    ...argument: Parameters<A[Name]>
  ) => Promise<Awaited<ReturnType<A[Name]>>>
}

interface Question {
  id: number
  name: string
  argument: never
}

type Reply = { id: number; answer: unknown } | { id: number; failure: string }

interface Waiter {
  resolve: (answer: unknown) => void
  reject: (failure: Error) => void
}

const bench = new URL('./', import.meta.url)

/** Starts a file of this folder in a process of its own. */
export type StartChild = <A extends Answers>(file: string) => Child<A>

/** Lets a piece of work start children, and stops them when it is over. */
export const withChildren = async <T>(folder: string, work: (start: StartChild) => Promise<T>): Promise<T> => {
  const children: { stop: () => Promise<void> }[] = []
  try {
    return await work(file => {
      const { child, stop } = startChild(file, folder)
      children.push({ stop })
      return child
    })
  } finally {
    await Promise.all(
      children.map(async ({ stop }) => {
        await stop()
      })
    )
  }
}

// The working directory and the environment hold nothing of the developer's. Questions go by IPC, so that they are no
// part of what a server is measured by.
const startChild = <A extends Answers>(
  file: string,
  folder: string
): { child: Child<A>; stop: () => Promise<void> } => {
  const forked = fork(fileURLToPath(new URL(file, bench)), {
    cwd: folder,
    env: {},
    execArgv: ['--import', import.meta.resolve('tsx')],
    serialization: 'advanced'
  })
  const waiters = new Map<number, Waiter>()
  const exit = once(forked, 'exit').then(() => {
    for (const waiter of waiters.values()) waiter.reject(new Error(`bench/${file} ended before it answered`))
  })
  forked.on('message', (reply: Reply) => {
    const waiter = waiters.get(reply.id)
    waiters.delete(reply.id)
    if ('failure' in reply) waiter?.reject(new Error(reply.failure))
    else waiter?.resolve(reply.answer)
  })

  return {
    child: { ask: createAsk<A>(forked, waiters) },
    stop: async () => {
      if (forked.connected) forked.disconnect()
      await exit
    }
  }
}

const createAsk = <A extends Answers>(forked: ChildProcess, waiters: Map<number, Waiter>): Child<A>['ask'] => {
  let asked = 0
  return (name, ...[argument]) =>
    new Promise((resolve, reject) => {
      const id = ++asked
      waiters.set(id, {
        resolve: answer => {
          resolve(answer as Awaited<ReturnType<A[typeof name]>>)
        },
        reject
      })
      forked.send({ id, name, argument }, error => {
        if (error !== null) reject(error)
      })
    })
}

/** The child's side: answers until the parent stops it or is gone. */
export const answerParent = (answers: Answers): void => {
  const reply = (message: Reply): void => {
    process.send?.(message)
  }
  const answerTo = async ({ id, name, argument }: Question): Promise<void> => {
    try {
      reply({ id, answer: await answers[name]?.(argument) })
    } catch (error) {
      reply({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
  process.on('message', (question: Question) => {
    void answerTo(question)
  })
  process.on('disconnect', () => {
    process.exit()
  })
}
