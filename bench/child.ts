import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Setup } from './setup.ts'

/** What a child process answers, by the name of the question. */
export type Answers = Record<string, (argument: never) => unknown>

export interface Child<A extends Answers> {
  /** Asks one question; the next may be asked when it is answered. Rejects if the child fails at it, or ends. */
  ask: <Name extends keyof A & string>(
    name: Name,
    ...argument: Parameters<A[Name]>
  ) => Promise<Awaited<ReturnType<A[Name]>>>
}

interface Question {
  name: string
  argument: unknown
}

type Reply = { answer: unknown } | { failure: string }

/**
 * Starts a file of this folder in a process of its own. The working directory and the environment have nothing of the
 * developer's. Questions go by IPC, so that they are no part of what a server is measured by.
 */
export const startChild = <A extends Answers>({ folder, defer }: Setup, file: string): Child<A> => {
  const forked = fork(fileURLToPath(new URL(file, import.meta.url)), {
    cwd: folder,
    env: {},
    execArgv: ['--import', import.meta.resolve('tsx')],
    serialization: 'advanced'
  })
  const exit = once(forked, 'exit')
  defer(async () => {
    if (forked.connected) forked.disconnect()
    await exit
  })
  const ask = async (question: Question): Promise<unknown> => {
    forked.send(question)
    const [reply] = (await Promise.race([once(forked, 'message'), exit.then(() => [])])) as [Reply?]
    if (reply === undefined) throw new Error(`bench/${file} ended before it answered`)
    if ('failure' in reply) throw new Error(reply.failure)
    return reply.answer
  }
  return {
    ask: (name, ...[argument]) => ask({ name, argument }) as Promise<Awaited<ReturnType<A[typeof name]>>>
  }
}

/** The child's side: answers until the parent stops it or is gone. */
export const answerParent = (answers: Answers): void => {
  const replyTo = async ({ name, argument }: Question): Promise<Reply> => {
    try {
      return { answer: await answers[name]?.(argument as never) }
    } catch (error) {
      return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  process.on('message', (question: Question) => {
    void replyTo(question).then(reply => process.send?.(reply))
  })
  process.on('disconnect', () => {
    process.exit()
  })
}

/** The time that the processor has worked for this process, in µs. */
export const processorTime = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}
