import { CommanderError } from 'commander'
import type { Command as Commander } from 'commander'
import { holdsToken } from '../domain/keys/token/shape.ts'
import { REPLACEMENT } from '../net/utf8.ts'
import { DONE, MISUSED, REFUSED } from './command.ts'
import type { Command } from './command.ts'
import { commands } from './commands.ts'
import type { Entry } from './commands.ts'
import { asUserError, UsageError } from './failures.ts'
import { hintOfSeparator, refuseSwallowed } from './npm.ts'
import type { ArgumentSpec } from './options.ts'
import { checkChoices, isOption, unknownCommand } from './parser.ts'
import { createProgram, define, nodeAt, pathOf, termOf, valuesOf } from './syntax.ts'
import { openTerminal } from './terminal.ts'
import type { Io, Terminal } from './terminal.ts'

/** Runs the command that the arguments specify, and returns its exit code: DONE, REFUSED or MISUSED. */
export const run = async (io: Io): Promise<number> => {
  const args = io.args[0] === 'help' ? [...io.args.slice(1), '--help'] : io.args
  const request = args[0] === 'complete' && args[1] === '--' ? args.slice(2) : null
  const place = find(request === null ? args : request.slice(0, -1))
  const terminal = openTerminal(io, place.path.join(' '))
  return await flushed(terminal, await runAt({ place, args, request }, io, terminal))
}

/** A parsed command line. `request` contains the words being completed if a shell requested completions. */
interface Typed {
  place: Place
  args: readonly string[]
  request: readonly string[] | null
}

const runAt = async (
  { place: { path, entry, unknown }, args, request }: Typed,
  io: Io,
  terminal: Terminal
): Promise<number> => {
  const program = createProgram(io, terminal)
  const node = nodeAt(program, path)
  try {
    const command = (await entry?.load())?.default
    if (command !== undefined) define(node, command)
    refuseTokens(args)
    refuseMangled(args)
    if (request !== null) {
      const { completionsOf } = await import('./completion.ts')
      terminal.print(completionsOf(unknown === undefined ? node : undefined, request))
      return DONE
    }
    if (unknown !== undefined) throw new UsageError(unknownCommand([...path, unknown].join(' '), commandNames()))
    let code = DONE
    if (command !== undefined) {
      node.action(async () => {
        code = await execute(command, node, io, terminal)
      })
    }
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    return reportFailure(error, node, terminal)
  }
}

/** Waits until all output has been written. Returns `code`, or REFUSED if writing failed. */
const flushed = async (terminal: Terminal, code: number): Promise<number> => {
  try {
    await terminal.flush()
    return code
  } catch (error) {
    terminal.fail(error)
    return REFUSED
  }
}

interface Place {
  /** The names of the group and the command, as far as they exist. */
  path: string[]
  /** The command, or undefined if `path` is a group. */
  entry?: Entry
  /** The first name that doesn't exist. */
  unknown?: string
}

/** Finds the group or command that the words before the first option specify. */
const find = (args: readonly string[]): Place => {
  const words = args.filter(word => word !== '--')
  const end = words.findIndex(isOption)
  const [first, second] = end === -1 ? words : words.slice(0, end)
  if (first === undefined) return { path: [] }
  const found = own(commands, first)
  if (found === undefined) return { path: [], unknown: first }
  if (!('commands' in found)) return { path: [first], entry: found }
  if (second === undefined) return { path: [first] }
  const entry = own(found.commands, second)
  return entry === undefined ? { path: [first], unknown: second } : { path: [first, second], entry }
}

const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

/** Returns the full names of all groups and commands, such as `key issue`. */
const commandNames = (): string[] =>
  Object.entries(commands).flatMap(([name, entry]) => [
    name,
    ...('commands' in entry ? Object.keys(entry.commands).map(each => `${name} ${each}`) : [])
  ])

const refuseTokens = (args: readonly string[]): void => {
  if (!args.some(holdsToken)) return
  throw new UsageError(
    'An argument contains a token. The shell history and ps reveal arguments, so rotate this token.',
    'Pass tokens on standard input.'
  )
}

// Node.js replaces invalid UTF-8 in arguments with U+FFFD, so the original bytes are lost.
const refuseMangled = (args: readonly string[]): void => {
  if (!args.some(arg => arg.includes(REPLACEMENT))) return
  throw new UsageError('An argument contains bytes that are not UTF-8.', 'Set the encoding of the terminal to UTF-8.')
}

/** Runs a command with its parsed options and argument. Throws a UsageError if they are invalid. */
export const execute = async (command: Command, node: Commander, { env }: Io, terminal: Terminal): Promise<number> => {
  const name = pathOf(node).join(' ')
  const { argument, options = {}, run: work } = command
  const values = valuesOf(node, options)
  refuseSwallowed({ command: name, argument: termOf(argument) }, options, new Set(Object.keys(values)), env)
  const [only = '', ...more] = node.args
  if (more.length > 0 || (argument === undefined && node.args.length > 0)) {
    throw new UsageError(expectedArgument(argument), hintOfSeparator(name, env))
  }
  if (node.args.length === 0 && argument !== undefined && argument.optional !== true) {
    throw new UsageError(expectedArgument(argument))
  }
  checkChoices(options, values)
  return await work(values, terminal, only)
}

const expectedArgument = (argument: ArgumentSpec | undefined): string =>
  argument === undefined
    ? 'This command takes options, but no arguments.'
    : `Specify one ${argument.name}: ${argument.help}.`

/** Prints a failure to standard error. Returns the exit code. */
export const reportFailure = (error: unknown, node: Commander, terminal: Terminal): number => {
  // Commander has already printed the version or the help. If no command was given, the help goes to standard error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : MISUSED
  const known = asUserError(error)
  terminal.fail(known ?? error)
  if (!(known instanceof UsageError)) return REFUSED
  terminal.warn(`See: ${terminal.invocation(pathOf(node).join(' '), '--help')}`)
  return MISUSED
}
