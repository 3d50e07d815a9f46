import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'
import { Complaint, complain } from '../config/complaint.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values']

/** A command of the command line. `run` throws a CommandError where it can't do what it was asked. */
export interface Command<O extends Options> {
  /** What the command is for and which options it takes: the text of `--help`. */
  help: string
  options: O
  run (values: Values<O>): Promise<void>
}

/** A refusal with a message for the person who typed the command. */
export class CommandError extends Complaint {}

const EXIT_USAGE = 2

/**
 * Runs a command with the arguments of the process, `--help` included. Exit codes: 0 good, 1 refused, 2 bad usage.
 */
export const runCommand = async <O extends Options>({ help, options, run }: Command<O>, args = process.argv.slice(2)): Promise<void> => {
  const values = parse({ ...options, help: { type: 'boolean', short: 'h' } } as const, args)
  if (values instanceof Error) {
    console.error(`${values.message}\n\n${help}`)
    process.exitCode = EXIT_USAGE
    return
  }
  if ('help' in values && values.help === true) {
    console.log(help)
    return
  }
  try {
    await run(values as Values<O>)
  } catch (error) {
    complain(error)
  }
}

const parse = <O extends Options>(options: O, args: string[]): Values<O> | Error => {
  try {
    return parseArgs({ options, args, allowPositionals: false }).values
  } catch (error) {
    // What was typed is not repeated: it could be a token.
    const { code } = error as NodeJS.ErrnoException
    return new Error(code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? 'There is no such option.' : 'These arguments are not understood.')
  }
}
