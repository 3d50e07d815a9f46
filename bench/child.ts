import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Setup } from './setup.ts'

/** The functions that a child process provides, by name. */
export type Functions = Record<string, (argument: never) => unknown>

export interface Child<F extends Functions> {
  /**
   * Calls a function of the child process. Calls must not overlap. Rejects if the function throws or the process exits.
   */
  call: <Name extends keyof F & string>(
    name: Name,
    ...argument: Parameters<F[Name]>
  ) => Promise<Awaited<ReturnType<F[Name]>>>
}

interface Call {
  name: string
  argument: unknown
}

type Outcome = { result: unknown } | { failure: string }

/**
 * Runs a file from this folder in a separate process. The developer's settings don't affect it, because it has its own
 * working directory and environment. Calls use IPC, so that they don't count as requests to the server that is being
 * measured.
 */
export const startChild = <F extends Functions>({ folder, defer }: Setup, file: string): Child<F> => {
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
  const send = async (call: Call): Promise<unknown> => {
    forked.send(call)
    const [outcome] = (await Promise.race([once(forked, 'message'), exit.then(() => [])])) as [Outcome?]
    if (outcome === undefined) throw new Error(`bench/${file} ended before it returned a result`)
    if ('failure' in outcome) throw new Error(outcome.failure)
    return outcome.result
  }
  return {
    call: (name, ...[argument]) => send({ name, argument }) as Promise<Awaited<ReturnType<F[typeof name]>>>
  }
}

/** Provides functions to the parent process until it disconnects or exits. */
export const serveParent = (functions: Functions): void => {
  const run = async ({ name, argument }: Call): Promise<Outcome> => {
    try {
      return { result: await functions[name]?.(argument as never) }
    } catch (error) {
      return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  process.on('message', (call: Call) => {
    void run(call).then(outcome => process.send?.(outcome))
  })
  process.on('disconnect', () => {
    process.exit()
  })
}

/** Returns the processor time that this process has used, in µs. */
export const processorTime = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}
