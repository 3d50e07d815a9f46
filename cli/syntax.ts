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

// How wide the help is where it does not go to a terminal.
const HELP_WIDTH = 100

/** The program with the names of all commands, and the help of each level; the commands have no options yet. */
export const createProgram = (io: Io, terminal: Terminal): StrictCommand => {
  const program = createRoot(io, terminal)
    .version(VERSION, '--version', 'the version of the program')
    // Only before the names of a command: elsewhere it is none of the options that there are.
    .enablePositionalOptions()
  addCommands(program)
  return program
}

/** A program without commands, which prints to a terminal. */
export const createRoot = ({ stdout, stderr, env }: Io, terminal: Terminal): StrictCommand =>
  new StrictCommand('trivial')
    .exitOverride()
    .helpOption('-h, --help', 'this text')
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
  describeGroup(program, 'Serves apps over HTTP, and manages the client keys that let other servers in.')
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
  node.addHelpText('after', '\nEach command explains its options with --help.')
}

const addCommand = (group: Commander, name: string, { summary }: Entry): void => {
  group.command(name).summary(summary)
}

/** The names that lead to a command, such as `key` and `issue`. */
export const pathOf = (node: Commander): string[] => (node.parent === null ? [] : [...pathOf(node.parent), node.name()])

/** The command or group that names lead to. */
export const nodeAt = (node: Commander, [name, ...rest]: readonly string[]): Commander => {
  const next = node.commands.find(each => each.name() === name)
  return next === undefined ? node : nodeAt(next, rest)
}

/** Gives a command of the program its explanation, its options and its argument. */
export const define = (node: Commander, { description, notes, options = {}, argument }: Command): void => {
  node.description(unwrapped(description))
  if (notes !== undefined) node.addHelpText('after', `\n${notes}`)
  for (const option of optionsOf(options).values()) node.addOption(option)
  // Whether there are as many arguments as there should be is found when the command runs: npm may have kept options.
  node.allowExcessArguments()
  if (argument === undefined) return
  const declared = new Argument(`[${argument.name}]`, argument.help)
  if (argument.choices !== undefined) declared.argChoices = [...argument.choices]
  node.addArgument(declared).usage(`[options] ${termOf(argument)}`)
}

/** The place of an argument in what is to be typed. */
export const termOf = (argument: ArgumentSpec | undefined): string => {
  if (argument === undefined) return ''
  return argument.optional === true ? `[<${argument.name}>]` : `<${argument.name}>`
}

// A text is wrapped where it is written, and again where it is shown. Lines that begin with a blank stay as they are.
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

/** The options that were given, by the names that the command has for them. */
export const valuesOf = (node: Commander, specs: OptionSpecs): Values<OptionSpecs> => {
  const given = node.opts<Values<OptionSpecs>>()
  return Object.fromEntries(
    [...optionsOf(specs)].flatMap(([name, option]) => {
      const value = given[option.attributeName()]
      return value === undefined ? [] : [[name, value]]
    })
  )
}
