import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'
import { Complaint, complain } from '../config/complaint.ts'
import { holdsToken } from '../keys/token-shape.ts'
import { isProblem } from '../problems/problem.ts'
import type { ProblemError } from '../problems/problem.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values']

/** A command of the command line. `run` throws a CommandError where it can't do what it was asked. */
export interface Command<O extends Options> {
  /** What the command is for and which options it takes: the text of `--help`. */
  help: string
  options: O
  /** What the one argument that is not an option stands for; without this, there is none. */
  argument?: string
  run (values: Values<O>, argument: string): Promise<void>
}

/** A refusal with a message for the person who typed the command. */
export class CommandError extends Complaint {}

/** What was typed can't be meant; the message says what to type. It never repeats what was typed, which could be a token. */
export class UsageError extends Error {}

const EXIT_USAGE = 2

/**
 * Runs a command with the arguments of the process, `--help` included. Exit codes: 0 good, 1 refused or not found, 2 bad usage.
 */
export const runCommand = async <O extends Options>({ help, options, argument, run }: Command<O>, args = process.argv.slice(2)): Promise<void> => {
  try {
    const { values, positionals } = parse({ ...options, help: { type: 'boolean', short: 'h' } } as const, args)
    if ('help' in values && values.help === true) {
      console.log(help)
      return
    }
    if (args.some(holdsToken)) {
      throw new UsageError('A token never goes into the arguments, where ps and the history of the shell keep it: this one should be rotated. Put it on standard input.')
    }
    if (positionals.length !== (argument === undefined ? 0 : 1)) {
      throw new UsageError(argument === undefined ? 'There are no arguments but options.' : `Name one ${argument}.`)
    }
    await run(values as Values<O>, positionals[0] ?? '')
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${help}`)
      process.exitCode = EXIT_USAGE
    } else complain(isProblem(error) ? new CommandError(wordsFor(error)) : error)
  }
}

const parse = <O extends Options>(options: O, args: string[]) => {
  try {
    return parseArgs({ options, args, allowPositionals: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? 'There is no such option.' : 'These arguments are not understood.')
  }
}

// What the API calls a field, the command line calls an option.
const OPTIONS: Readonly<Record<string, string>> = {
  name: '--name',
  description: '--description',
  scopes: '--scope',
  expires_at: '--expires',
  allowed_ips: '--allow-ip',
  rate_limit: '--rate',
  metadata: '--metadata',
  reason: '--reason',
  email: '--email'
}

const FIELD = new RegExp(`^(${Object.keys(OPTIONS).join('|')})((?:\\.\\w+)*) `)

const wordsFor = (problem: ProblemError): string => {
  if (problem.statusCode === 503) return 'The database can not be used now: another process has it, or its disk is full. Nothing was changed; try again.'
  return (problem.errors ?? [problem.message])
    .map(sentence => sentence.replace(FIELD, (_, field: string, place: string) => `${OPTIONS[field]}${placeText(place)} `)).join('\n')
}

const placeText = (place: string): string => /^\.\d+$/.test(place) ? ` number ${Number(place.slice(1)) + 1}` : ''
