import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'
import { holdsToken } from '../domain/keys/token-shape.ts'
import { shownOf, UsageError } from './failures.ts'
import { nearest } from './nearest.ts'
import { hintOfSeparator, refuseSwallowed } from './npm.ts'
import { openTerminal } from './terminal.ts'
import type { Io, Terminal } from './terminal.ts'

export type Options = NonNullable<ParseArgsConfig['options']>
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values']

/** A command of the command line, which is told the name that it was called by; answers its exit code. */
export type Command = (name: string, io: Io) => Promise<number>

/** What was asked is done. */
export const DONE = 0
/** It was refused, was not found, or the answer is no. */
export const REFUSED = 1
/** What was typed can't be meant. */
export const MISUSED = 2

interface Definition<O extends Options> {
  /** What the command is for and which options it takes: the text of `--help`. */
  help: string
  options: O
  /** What the one argument that is not an option stands for; without this, there is none. */
  argument?: string
  /** Whether that argument may be left out: it is empty then. */
  optional?: boolean
  /** Answers an exit code, or throws a CommandError, a UsageError or a problem of the API. */
  run: (values: Values<O>, terminal: Terminal, argument: string) => Promise<number>
}

/** Makes a command that knows `--help`, refuses what it does not understand, and tells of its failures. */
export const command =
  <O extends Options>({ help, options, argument, optional = false, run }: Definition<O>): Command =>
  async (name, io) => {
    const terminal = openTerminal(io)
    try {
      refuseTokens(io.args)
      const all = { ...options, help: { type: 'boolean', short: 'h' } } as const
      const given = checkOptions(all, io.args)
      const { values, positionals } = parseArgs({ options: all, args: [...io.args], allowPositionals: true })
      if ('help' in values && values.help === true) {
        terminal.print(help)
        return DONE
      }
      refuseSwallowed({ name, argument: placeOf(argument, optional) }, options, given, io.env)
      const most = argument === undefined ? 0 : 1
      if (positionals.length > most || (positionals.length < most && !optional)) {
        const hint = positionals.length > most ? hintOfSeparator(name, io.env) : ''
        throw new UsageError(`${argument === undefined ? NO_ARGUMENT : `Name one ${argument}.`}${hint}`)
      }
      return await run(values, terminal, positionals[0] ?? '')
    } catch (error) {
      const misused = error instanceof UsageError
      terminal.warn(misused ? `${error.message}\n\n${help}` : shownOf(error))
      return misused ? MISUSED : REFUSED
    }
  }

/** Where the argument goes in what is to be typed. */
const placeOf = (argument: string | undefined, optional: boolean): string => {
  if (argument === undefined) return ''
  const name = `<${argument.replace(/:.*/, '')}>`
  return optional ? `[${name}] ` : `${name} `
}

const NO_ARGUMENT = 'There are no arguments but options.'

// Before anything else looks at the arguments, so that no message can repeat one.
const refuseTokens = (args: readonly string[]): void => {
  if (args.some(holdsToken)) {
    throw new UsageError(
      'A token never goes into the arguments, where ps and the history of the shell keep it: this one should be rotated. Put it on standard input.'
    )
  }
}

/** The names of the options that are there. Throws a UsageError where the strict parser would find a fault. */
const checkOptions = (options: Options, args: readonly string[]): ReadonlySet<string> => {
  const { tokens } = parseArgs({ options, args: [...args], strict: false, tokens: true })
  const given = tokens.filter(token => token.kind === 'option')
  for (const { name, rawName, value, inlineValue } of given) {
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    if (option === undefined) throw new UsageError(unknownOption(rawName, Object.keys(options)))
    if (option.type === 'boolean') {
      if (value !== undefined) throw new UsageError(`--${name} takes no value.`)
    } else if (value === undefined) {
      throw new UsageError(`--${name} needs a value.`)
    } else if (!inlineValue && /^-./.test(value)) {
      throw new UsageError(`--${name} needs a value; one that begins with - is written --${name}=-…`)
    }
  }
  return new Set(given.map(({ name }) => name))
}

// What is no name of an option may be a secret that came to the wrong place.
const unknownOption = (typed: string, names: readonly string[]): string => {
  if (!/^--?[a-z][a-z-]*$/.test(typed)) return 'There is no such option.'
  const likely = nearest(typed.replace(/^-+/, ''), names)
  return `There is no option ${typed}${likely === null ? '.' : `; did you mean --${likely}?`}`
}
