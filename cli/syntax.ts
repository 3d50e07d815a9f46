import { Argument, Option } from 'commander'
import type { Command as Commander } from 'commander'
import { bold, cyan, showsColour } from './colour.ts'
import type { Command } from './command.ts'
import { commands } from './commands.ts'
import type { Entry } from './commands.ts'
import type { ArgumentSpec, OptionSpecs, Values } from './options.ts'
import { StrictCommand } from './parser.ts'
import type { Io, Terminal } from './terminal.ts'
import { VERSION } from '../version.ts'

// The width of the help in columns if the output isn't a terminal.
const HELP_WIDTH = 100

/** Creates the program with all groups and commands. `define` adds a command's options. */
export const createProgram = (io: Io, terminal: Terminal): StrictCommand => {
  const program = createRoot(io, terminal)
    .version(VERSION, '--version', 'print the version')
    // Only accepts --version before the name of a command. After the name, it's an unknown option.
    .enablePositionalOptions()
  addCommands(program)
  return program
}

/** Creates a program that prints to the terminal and has no commands yet. */
export const createRoot = ({ stdout, stderr, env }: Io, terminal: Terminal): StrictCommand =>
  new StrictCommand('trivial')
    .exitOverride()
    .helpOption('-h, --help', 'print this help')
    .configureOutput({
      writeOut: text => {
        terminal.print(text.trimEnd())
      },
      writeErr: text => {
        terminal.warn(text.trimEnd())
      },
      getOutHelpWidth: () => stdout.columns ?? HELP_WIDTH,
      getErrHelpWidth: () => stderr.columns ?? HELP_WIDTH,
      getOutHasColors: () => showsColour(stdout, env),
      getErrHasColors: () => showsColour(stderr, env)
    })
    .configureHelp({
      commandUsage: node => terminal.invocation(pathOf(node).join(' '), node.usage()),
      styleTitle: bold,
      styleCommandText: cyan,
      styleSubcommandText: cyan,
      styleOptionText: cyan,
      styleArgumentText: cyan
    })

const addCommands = (program: StrictCommand): void => {
  describeGroup(program, 'Serves apps over HTTP, and manages the client keys with which other servers access them.')
  for (const [name, entry] of Object.entries(commands)) {
    if (!('commands' in entry)) addCommand(program, name, entry)
    else {
      const group = program.command(name).summary(entry.summary)
      describeGroup(group, `${entry.summary}.`)
      for (const [command, each] of Object.entries(entry.commands)) addCommand(group, command, each)
    }
  }
}

const describeGroup = (node: Commander, description: string): void => {
  node.description(description).helpCommand(false).usage('<command>')
  node.addHelpText('after', '\nRun a command with --help to see its options.')
}

const addCommand = (group: Commander, name: string, { summary }: Entry): void => {
  group.command(name).summary(summary)
}

/** Returns the names of a command and its group, such as `key` and `issue`. */
export const pathOf = (node: Commander): string[] => (node.parent === null ? [] : [...pathOf(node.parent), node.name()])

/** Returns the command or group at a path, such as `key` and `issue`. */
export const nodeAt = (node: Commander, [name, ...rest]: readonly string[]): Commander => {
  const next = node.commands.find(each => each.name() === name)
  return next === undefined ? node : nodeAt(next, rest)
}

/** Adds the description, options and argument of a command to the program. */
export const define = (node: Commander, { description, notes, options = {}, argument }: Command): void => {
  node.description(unwrapped(description))
  if (notes !== undefined) node.addHelpText('after', `\n${notes}`)
  for (const option of optionsOf(options).values()) node.addOption(option)
  // The number of arguments is checked when the command runs, because npm may have removed options.
  node.allowExcessArguments()
  if (argument === undefined) return
  const declared = new Argument(`[${argument.name}]`, argument.help)
  if (argument.choices !== undefined) declared.argChoices = [...argument.choices]
  node.addArgument(declared).usage(`[options] ${termOf(argument)}`)
}

/** Returns an argument's placeholder for the usage line. */
export const termOf = (argument: ArgumentSpec | undefined): string => {
  if (argument === undefined) return ''
  return argument.optional === true ? `[<${argument.name}>]` : `<${argument.name}>`
}

// Joins the lines of a paragraph, because Commander wraps the text itself. Lines that begin with a space stay separate.
const unwrapped = (text: string): string => text.replaceAll(/(?<!\n)\n(?![\n ])/g, ' ')

const optionsOf = (specs: OptionSpecs): Map<string, Option> =>
  new Map(
    Object.entries(specs).map(([name, { value, multiple, choices, group, help }]) => {
      const option = new Option(value === undefined ? `--${name}` : `--${name} ${value}`, unwrapped(help))
      if (multiple === true) option.argParser<string[] | undefined>((text, earlier) => [...(earlier ?? []), text])
      if (choices !== undefined) option.argChoices = [...choices]
      if (group !== undefined) option.helpGroup(group)
      return [name, option]
    })
  )

/** Returns the values of the options, keyed by the names in the command's definition. */
export const valuesOf = (node: Commander, specs: OptionSpecs): Values<OptionSpecs> => {
  const given = node.opts<Values<OptionSpecs>>()
  return Object.fromEntries(
    [...optionsOf(specs)].flatMap(([name, option]) => {
      const value = given[option.attributeName()]
      return value === undefined ? [] : [[name, value]]
    })
  )
}
