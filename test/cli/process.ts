import type { Test } from 'tap'
import { run } from '../helper.ts'
import type { Running } from '../helper.ts'
import { wordsOf } from './terminal.ts'
import type { Typed } from './terminal.ts'

/** Runs a command in a separate process, as a user would. */
export const spawned = (t: Test, name: string, { args = [], ...options }: Typed = {}): Running =>
  run(t, 'cli/trivial.ts', { ...options, args: [...wordsOf(name), ...args] })
